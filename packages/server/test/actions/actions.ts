import { created } from '../protocol.ts';
import type { World, WorldTenant } from '../world.ts';

type Body = Readonly<Record<string, unknown>> & { readonly code: string };

let serial = 0;

/** Deploys actions and binds them to a trigger in this order, in place of all that it had. Each is its code, or a body. */
export async function setActions(
  world: World,
  triggerId: string,
  codes: readonly (string | Body)[],
  tenant: WorldTenant = world.main,
): Promise<string[]> {
  const api = world.apiAt(tenant);
  const ids: string[] = [];
  for (const code of codes) ids.push(await deployAction(world, triggerId, code, tenant));
  const bindings = ids.map((value) => ({ ref: { type: 'action_id', value } }));
  await created(api.patch(`/actions/triggers/${triggerId}/bindings`, { bindings }));
  return ids;
}

export async function deployAction(
  world: World,
  triggerId: string,
  code: string | Body,
  tenant: WorldTenant = world.main,
): Promise<string> {
  const body = typeof code === 'string' ? { code } : code;
  const action = await created(
    world.apiAt(tenant).post('/actions/actions', {
      name: `action ${++serial}`,
      supported_triggers: [{ id: triggerId }],
      deploy: true,
      ...body,
    }),
  );
  return String(action.id);
}

/** An action of plain statements. */
export const action = (handler: string, body: string): string =>
  `exports.${handler} = async (event, api) => {\n${body}\n};`;
