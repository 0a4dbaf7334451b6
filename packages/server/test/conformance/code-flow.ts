import type { Response } from 'light-my-request';
import { CALLBACK } from '../visitor.ts';
import type { World, WorldTenant } from '../world.ts';

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly token_type: string;
}

export interface Application {
  readonly client_id: string;
  readonly client_secret: string;
}

type Form = Readonly<Record<string, string>>;

/** Redeems a code as the SPA client; `more` replaces or adds parameters, empty ones count as left out. */
export function redeem(
  world: World,
  { code, verifier }: { readonly code: string; readonly verifier: string },
  more: Form = {},
): Promise<Response> {
  return world.token({
    grant_type: 'authorization_code',
    client_id: world.spa_client.client_id,
    code,
    code_verifier: verifier,
    redirect_uri: CALLBACK,
    ...more,
  });
}

/** Logs a new browser in with the SPA client and redeems the code. */
export async function tokensOf(world: World, parameters: Form = {}): Promise<Tokens> {
  return (await redeem(world, await world.visitor().logIn({ parameters }))).json();
}

export function passwordTokens(world: World, more: Form = {}, tenant: WorldTenant = world.main): Promise<Response> {
  return world.token(
    {
      grant_type: 'password',
      ...tenant.password_client,
      username: tenant.user.email,
      password: tenant.user.password,
      ...more,
    },
    tenant,
  );
}

/** A new application that may use the tenant's directory. */
export async function createApplication(world: World, body: Readonly<Record<string, unknown>>): Promise<Application> {
  const api = world.api();
  const response = await api.post('/clients', { name: 'An application', ...body });
  if (response.statusCode !== 201) throw new Error(`The application was not made: ${response.body}`);
  const { client_id, client_secret = '' } = response.json();
  const [connection] = (await api.get(`/connections?name=${world.connection}`)).json();
  await api.patch(`/connections/${connection.id}/clients`, [{ client_id, status: true }]);
  return { client_id, client_secret };
}

export function userinfo(world: World, token: string): Promise<Response> {
  return world.request({ path: '/userinfo', headers: { authorization: `Bearer ${token}` } });
}

export function basic({ client_id, client_secret }: Application): { authorization: string } {
  const text = `${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`;
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

/** Claims of a JWT, unverified. */
export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

export function headerOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString('utf8'));
}
