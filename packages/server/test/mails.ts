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

export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
