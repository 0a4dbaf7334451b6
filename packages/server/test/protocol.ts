import type { Response } from 'light-my-request';
import { type Authorization, CALLBACK } from './visitor.ts';
import type { World, WorldTenant } from './world.ts';

export interface TestClient {
  readonly client_id: string;
  readonly client_secret: string;
}

/** An application made over the Management API; it may use the tenant's directory unless said otherwise. */
export async function createTestClient(
  world: World,
  body: Readonly<Record<string, unknown>>,
  { mayLogIn = true, tenant = world.main }: { mayLogIn?: boolean; tenant?: WorldTenant } = {},
): Promise<TestClient> {
  const api = world.apiAt(tenant);
  const client = await created(api.post('/clients', { name: 'Test', ...body }));
  if (mayLogIn) await enableDirectory(world, String(client.client_id), true, tenant);
  return { client_id: String(client.client_id), client_secret: String(client.client_secret ?? '') };
}

export async function enableDirectory(world: World, clientId: string, status: boolean, tenant = world.main) {
  const api = world.apiAt(tenant);
  const [directory] = (await api.get(`/connections?name=${tenant.connection}`)).json();
  const response = await api.patch(`/connections/${directory.id}/clients`, [{ client_id: clientId, status }]);
  if (response.statusCode >= 300) throw new Error(response.body);
}

/** Creates something and gives it back; a refusal is the test's own mistake. */
export async function created(asked: Promise<Response>): Promise<Record<string, unknown>> {
  const response = await asked;
  if (response.statusCode >= 300) throw new Error(`${response.statusCode}: ${response.body}`);
  return response.json();
}

/** Status and JSON at once, for one expectation of both; `body` is undefined where the answer has none. */
export async function answer(asked: Promise<Response>): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await asked;
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
}

/** A user of the tenant's directory. */
export async function createTestUser(
  world: World,
  name: string,
): Promise<{ id: string; email: string; password: string }> {
  const email = `${name}@example.org`;
  const password = `Correct-horse-${name}-7`;
  const user = await created(
    world.api().post('/users', { connection: world.connection, email, password, email_verified: true }),
  );
  return { id: String(user.user_id), email, password };
}

/** Redeems a code as the SPA client does. */
export function redeem(
  world: World,
  { code, verifier }: Pick<Authorization, 'verifier'> & { readonly code: string },
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<Response> {
  return world.token(
    defined({
      grant_type: 'authorization_code',
      client_id: world.spa_client.client_id,
      code,
      code_verifier: verifier,
      redirect_uri: CALLBACK,
      ...changes,
    }),
  );
}

/** The password grant of the first run's password client. */
export function passwordGrant(
  world: World,
  changes: Readonly<Record<string, string | undefined>> = {},
  tenant: WorldTenant = world.main,
): Promise<Response> {
  const { client_id, client_secret } = tenant.password_client;
  const { email, password } = tenant.user;
  return world.token(
    defined({ grant_type: 'password', client_id, client_secret, username: email, password, ...changes }),
    tenant,
  );
}

export function refresh(
  world: World,
  refreshToken: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<Response> {
  return world.token(
    defined({
      grant_type: 'refresh_token',
      ...world.password_client,
      refresh_token: refreshToken,
      ...changes,
    }),
  );
}

export function userinfo(world: World, token: string, tenant: WorldTenant = world.main): Promise<Response> {
  return world.request({ path: '/userinfo', headers: { authorization: `Bearer ${token}` }, tenant });
}

export function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Header and claims of a JWT, unverified. */
export function decodeJwt(token: unknown): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', payload = ''] = String(token).split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), claims: read(payload) };
}

export interface LogRecord {
  readonly log_id: string;
  readonly type: string;
  readonly description?: string;
  readonly client_id?: string;
  readonly user_id?: string;
  readonly [member: string]: unknown;
}

/** The events that a step caused, oldest first, without those of the test's own Management client. */
export async function eventsOf(world: World, step: () => Promise<unknown>, tenant = world.main): Promise<LogRecord[]> {
  const api = world.apiAt(tenant, 'read:logs');
  const [last]: LogRecord[] = (await api.get('/logs?per_page=1')).json();
  await step();
  const records: LogRecord[] = (await api.get('/logs?per_page=100')).json();
  const end = records.findIndex(({ log_id }) => log_id === last?.log_id);
  return (end < 0 ? records : records.slice(0, end))
    .filter(({ client_id, type }) => client_id !== tenant.management.client_id && type !== 'sapi')
    .reverse();
}

export async function eventTypesOf(world: World, step: () => Promise<unknown>, tenant = world.main): Promise<string[]> {
  return (await eventsOf(world, step, tenant)).map(({ type }) => type);
}
