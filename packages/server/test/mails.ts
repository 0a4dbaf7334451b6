import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import type { World, WorldTenant } from './world.ts';

/** Mails to an address, newest first, with their content. */
export async function mailsTo(world: World, address: string, tenant: WorldTenant = world.main) {
  const { mails } = world.app.stores;
  const listed = (await mails.list(tenant.tenant, 1_000)).filter(({ to }) => to === address);
  return Promise.all(
    listed.map(async ({ mailId }) => {
      const mail = await mails.find(tenant.tenant, mailId);
      if (!mail) throw new Error('A mail that was just listed is not there.');
      return mail;
    }),
  );
}

/** The link of the newest mail to an address: path and query, as a browser asks for it. */
export async function linkMailedTo(world: World, address: string, tenant: WorldTenant = world.main): Promise<string> {
  const [mail] = await mailsTo(world, address, tenant);
  const [, url = ''] = /^(https?:\/\/\S+ticket=\S+)$/m.exec(mail?.text ?? '') ?? [];
  return pathOf(url);
}

/** What an operator gets for a user: the path of a link. */
export async function linkFor(
  world: World,
  kind: 'password-change' | 'email-verification',
  body: Record<string, unknown>,
): Promise<string> {
  const response = await world.api('create:user_tickets').post(`/tickets/${kind}`, body);
  if (response.statusCode !== 201) throw new Error(`${response.statusCode}: ${response.body}`);
  return pathOf(response.json().ticket);
}

/** The page of a link that was used, or that something younger took the place of. */
export const isGone = (page: Response) =>
  expect([page.statusCode, page.body]).toEqual([400, expect.stringContaining('t work any more')]);

export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
