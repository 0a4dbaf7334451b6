import type { NewTenant } from './gatewright.ts';
import { type Body, findListed, type ManagementApi, openManagementApi } from './management-api.ts';

/** All that the company's services of an environment have to be told. */
export interface EnvironmentSettings {
  readonly tenant: string;
  readonly issuer: string;
  readonly audience: string;
  /** `[company]-[environment]`: of the user API alone. */
  readonly client: ClientSettings;
  /** Of the token service: it may ask about tokens of this API, and nothing else. */
  readonly introspection: ClientSettings;
}

export interface ClientSettings {
  readonly id: string;
  readonly secret: string;
}

/** The same in each environment: the tenant tells them apart. */
export const AUDIENCE = 'https://venues.acme.example/';
export const USER_SCOPES = ['create:users', 'read:users', 'update:users', 'delete:users'];
const PERMISSIONS = [
  { value: 'read:venues', description: 'See the venues' },
  { value: 'book:venues', description: 'Book a venue' },
  { value: 'manage:venues', description: 'Open and close venues' },
];
const OF_MEMBERS = ['read:venues', 'book:venues'];
/** PWD.16: what is stolen is of use for this long, unless it is revoked before. */
const TOKEN_SECONDS = 900;

/**
 * What the setup asks for in the dashboard of each account, by calls of the Management API alone. Each step finds what is there and makes
 * what is missing, so that it may be repeated, also after it was cut off.
 */
export async function setUpEnvironment({
  tenant,
  origin,
  management,
  connection,
}: NewTenant): Promise<EnvironmentSettings> {
  const call = await openManagementApi(origin, management);
  // PWD.11: a login without a realm means this directory.
  await call('PATCH', '/tenants/settings', { default_directory: connection });
  await makeVenuesApi(call);
  const client = await makeClient(call, { name: tenant, connection, managementAudience: management.audience });
  const introspection = await makeIntrospectingClient(call);
  await makeMemberRole(call);
  return { tenant, issuer: `${origin}/`, audience: AUDIENCE, client, introspection };
}

/** Roles decide what a token lets its user do (RBAC), and the token says so. */
async function makeVenuesApi(call: ManagementApi): Promise<void> {
  const settings = {
    name: 'Venues',
    scopes: PERMISSIONS,
    enforce_policies: true,
    token_dialect: 'access_token_authz',
    token_lifetime: TOKEN_SECONDS,
    allow_offline_access: true,
  };
  const known = await findListed(call, '/resource-servers', ({ identifier }) => identifier === AUDIENCE);
  if (known) await call('PATCH', `/resource-servers/${known.id}`, settings);
  else await call('POST', '/resource-servers', { ...settings, identifier: AUDIENCE });
}

async function makeClient(
  call: ManagementApi,
  { name, connection, managementAudience }: { name: string; connection: string; managementAudience: string },
): Promise<ClientSettings> {
  // PWD.12 to PWD.14. Behind the two grants of the setup stands the one that renews.
  const settings = {
    name,
    app_type: 'regular_web',
    token_endpoint_auth_method: 'client_secret_post',
    // The user API tells the address of its user, for the protection against guessing.
    is_token_endpoint_ip_header_trusted: true,
    grant_types: [
      'password',
      'http://auth0.com/oauth/grant-type/password-realm',
      'client_credentials',
      'refresh_token',
    ],
    refresh_token: {
      rotation_type: 'rotating',
      expiration_type: 'expiring',
      leeway: 30,
      token_lifetime: 2_592_000,
      idle_token_lifetime: 1_296_000,
    },
  };
  const known = await findClient(call, name);
  const client = clientOf(
    await (known ? call('PATCH', `/clients/${known.client_id}`, settings) : call('POST', '/clients', settings)),
  );
  const { items } = await call('GET', `/connections?name=${encodeURIComponent(connection)}`);
  const [directory] = items as readonly Body[];
  await call('PATCH', `/connections/${directory?.id}/clients`, [{ client_id: client.id, status: true }]);
  // PWD.15: the client may manage users, and nothing else.
  const grant = { client_id: client.id, audience: managementAudience };
  const granted = await findListed(call, `/client-grants?${new URLSearchParams(grant)}`, () => true);
  if (granted) await call('PATCH', `/client-grants/${granted.id}`, { scope: USER_SCOPES });
  else await call('POST', '/client-grants', { ...grant, scope: USER_SCOPES });
  return client;
}

async function makeIntrospectingClient(call: ManagementApi): Promise<ClientSettings> {
  const name = 'Token service';
  const settings = { name, app_type: 'resource_server', resource_server_identifier: AUDIENCE };
  const known = await findClient(call, name);
  return clientOf(known ?? (await call('POST', '/clients', { ...settings, grant_types: ['client_credentials'] })));
}

async function makeMemberRole(call: ManagementApi): Promise<void> {
  const role =
    (await findMemberRole(call)) ??
    (await call('POST', '/roles', { name: 'Member', description: 'Sees and books venues' }));
  await call('POST', `/roles/${role.id}/permissions`, {
    permissions: OF_MEMBERS.map((permission_name) => ({ permission_name, resource_server_identifier: AUDIENCE })),
  });
}

export function findMemberRole(call: ManagementApi): Promise<Body | undefined> {
  return findListed(call, '/roles?name_filter=Member', ({ name }) => name === 'Member');
}

function findClient(call: ManagementApi, name: string): Promise<Body | undefined> {
  return findListed(call, '/clients', (client) => client.name === name);
}

function clientOf({ client_id, client_secret }: Body): ClientSettings {
  if (typeof client_secret !== 'string') throw new Error(`The secret of the client ${client_id} can't be read.`);
  return { id: String(client_id), secret: client_secret };
}
