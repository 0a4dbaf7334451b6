import { randomBytes } from 'node:crypto';
import type { NewTenant } from './gatewright.ts';
import { type Body, type ManagementApi, openManagementApi } from './management-api.ts';

/** All that the company's services of an environment have to be told. */
export interface EnvironmentSettings {
  readonly tenant: string;
  readonly issuer: string;
  readonly audience: string;
  /** `[company]-[environment]`: of the user API alone. */
  readonly client: ClientSettings;
  /** Of the token service: it may ask about tokens of this API, and nothing else. */
  readonly introspection: ClientSettings;
  readonly user: { readonly id: string; readonly email: string; readonly password: string };
}

interface ClientSettings {
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
/** PWD.16: what is stolen is of use for this long, unless it is revoked before. */
const TOKEN_SECONDS = 900;

/** What the setup asks for in the dashboard of each account, by calls of the Management API alone. */
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
  const introspection = clientOf(
    await call('POST', '/clients', {
      name: 'Token service',
      app_type: 'resource_server',
      resource_server_identifier: AUDIENCE,
      grant_types: ['client_credentials'],
    }),
  );
  const user = await makeMember(call, { tenant, connection });
  return { tenant, issuer: `${origin}/`, audience: AUDIENCE, client, introspection, user };
}

/** Roles decide what a token lets its user do (RBAC), and the token says so. */
async function makeVenuesApi(call: ManagementApi): Promise<void> {
  await call('POST', '/resource-servers', {
    name: 'Venues',
    identifier: AUDIENCE,
    scopes: PERMISSIONS,
    enforce_policies: true,
    token_dialect: 'access_token_authz',
    token_lifetime: TOKEN_SECONDS,
    allow_offline_access: true,
  });
}

async function makeClient(
  call: ManagementApi,
  { name, connection, managementAudience }: { name: string; connection: string; managementAudience: string },
): Promise<ClientSettings> {
  // PWD.12 to PWD.14. Behind the two grants of the setup stands the one that renews.
  const client = clientOf(
    await call('POST', '/clients', {
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
    }),
  );
  const { items } = await call('GET', `/connections?name=${encodeURIComponent(connection)}`);
  const [directory] = items as readonly Body[];
  await call('PATCH', `/connections/${directory?.id}/clients`, [{ client_id: client.id, status: true }]);
  // PWD.15: the client may manage users, and nothing else.
  await call('POST', '/client-grants', { client_id: client.id, audience: managementAudience, scope: USER_SCOPES });
  return client;
}

/** Somebody to log in as, with a role that lets them see and book venues. */
async function makeMember(call: ManagementApi, { tenant, connection }: { tenant: string; connection: string }) {
  const role = await call('POST', '/roles', { name: 'Member', description: 'Sees and books venues' });
  await call('POST', `/roles/${role.id}/permissions`, {
    permissions: ['read:venues', 'book:venues'].map((permission_name) => ({
      permission_name,
      resource_server_identifier: AUDIENCE,
    })),
  });
  const email = `ada@${tenant}.example.com`;
  const password = `Venues-${randomBytes(9).toString('base64url')}-7a`;
  const user = await call('POST', '/users', { connection, email, password, email_verified: true, name: 'Ada Hall' });
  const id = String(user.user_id);
  await call('POST', `/users/${encodeURIComponent(id)}/roles`, { roles: [role.id] });
  return { id, email, password };
}

function clientOf(made: Body): ClientSettings {
  return { id: String(made.client_id), secret: String(made.client_secret) };
}
