import { created, createTestUser } from '../protocol.ts';
import type { World } from '../world.ts';
import { rule } from './rules.ts';

type Person = Awaited<ReturnType<typeof createTestUser>>;

let serial = 0;

/** Someone who logs in and is linked meanwhile, and whom they are linked to. */
export async function createPair(world: World): Promise<{ readonly joining: Person; readonly owner: Person }> {
  serial++;
  return {
    joining: await createTestUser(world, `joining-${serial}`),
    owner: await createTestUser(world, `owner-${serial}`),
  };
}

export const pathOf = ({ id }: { readonly id: string }) => `/users/${encodeURIComponent(id)}`;

/** Over the Management API, as a rule would; the rule below then names the one who is left. */
export const link = (world: World, from: { readonly id: string }, to: { readonly id: string }) =>
  created(world.api().post(`${pathOf(to)}/identities`, { provider: 'auth0', user_id: from.id.slice('auth0|'.length) }));

export const namesOwner = ({ id }: { readonly id: string }) => rule(`context.primaryUser = '${id}';`);
