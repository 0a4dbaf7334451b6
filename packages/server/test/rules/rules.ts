import { created, decodeJwt, passwordGrant } from '../protocol.ts';
import type { World, WorldTenant } from '../world.ts';

/** Replaces all rules of a tenant. Each is its code, or its name and its code; in this order. */
export async function setRules(
  world: World,
  codes: readonly (string | readonly [name: string, code: string])[],
  tenant: WorldTenant = world.main,
): Promise<string[]> {
  const api = world.apiAt(tenant);
  for (const { id } of (await api.get('/rules?per_page=100')).json()) await api.delete(`/rules/${id}`);
  const ids: string[] = [];
  for (const [index, code] of codes.entries()) {
    const [name, script] = typeof code === 'string' ? [`rule ${index + 1}`, code] : code;
    const rule = await created(api.post('/rules', { name, script, enabled: true }));
    ids.push(String(rule.id));
  }
  return ids;
}

/** A rule of plain statements, which then calls back. */
export const rule = (body: string): string =>
  `function (user, context, callback) {\n${body}\ncallback(null, user, context);\n}`;

/** The ID token's claims of a password login. */
export async function loginClaims(world: World, changes: Readonly<Record<string, string>> = {}) {
  const response = await passwordGrant(world, { scope: 'openid profile email', ...changes });
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${response.body}`);
  return decodeJwt(response.json().id_token).claims;
}

/** What rules of a password login see, by way of a claim. */
export async function seenByRules(world: World, expression: string): Promise<unknown> {
  await setRules(world, [rule(`context.idToken['https://example.com/seen'] = ${expression};`)]);
  return (await loginClaims(world))['https://example.com/seen'];
}
