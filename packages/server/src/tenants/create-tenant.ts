import { createClientGrant } from '../client-grants/manage-client-grants.ts';
import { ANY_LOCALHOST } from '../clients/callback-match.ts';
import { createClient, ensureGlobalClient } from '../clients/create-client.ts';
import { ADMIN_CONNECTION } from '../connections/connection.ts';
import { createConnection } from '../connections/connection-service.ts';
import type { Transact } from '../db/transact.ts';
import type { SigningKeyService } from '../keys/signing-key-service.ts';
import { defineErrors } from '../kit/errors.ts';
import { randomSecret } from '../kit/ids.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { createResourceServer, ensureManagementApi } from '../resource-servers/manage-resource-servers.ts';
import { MANAGEMENT_IDENTIFIER } from '../resource-servers/resource-server.ts';
import type { Stores } from '../stores.ts';
import { createDatabaseUser } from '../users/create-user.ts';
import type { FirstRunSecrets } from './first-run.ts';
import type { Environment } from './tenant.ts';
import { ALL_TENANTS } from './tenant-directory.ts';

export const DEFAULT_CONNECTION = 'Username-Password-Authentication';
const API_IDENTIFIER = 'https://api.example.com/';
const API_SCOPES = [
  { value: 'read:items', description: 'Read items' },
  { value: 'write:items', description: 'Create and change items' },
];
const LEEWAY_SECONDS = 30;
const ROTATING = {
  rotation_type: 'rotating',
  expiration_type: 'expiring',
  leeway: LEEWAY_SECONDS,
  token_lifetime: 2_592_000,
  idle_token_lifetime: 1_296_000,
};
/** A DNS label: it stands before the base domain. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const tenantCreationErrors = defineErrors({
  invalidName: {
    status: 400,
    code: 'invalid_name',
    message:
      "'{name}' is no tenant name: use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
  },
  nameTaken: { status: 409, code: 'tenant_exists', message: "The tenant '{name}' exists already." },
});

interface Parts {
  readonly transact: Transact<Stores>;
  readonly signingKeys: SigningKeyService;
  readonly hasher: Pick<PasswordHasher, 'hash'>;
  readonly forget: (tenantId: string) => void;
  readonly baseDomain: string;
}

export interface NewTenant {
  readonly name: string;
  readonly environment: Environment;
  readonly isDefault: boolean;
}

/** Makes a tenant with all that a first login needs (product.md section 4); undefined where another process was faster. */
export function createTenantCreation({ transact, signingKeys, hasher, forget, baseDomain }: Parts) {
  /** `beforeCommit` keeps the secrets: after the commit a kill could lose them for good. */
  async function create(
    { name, environment, isDefault }: NewTenant,
    beforeCommit?: (secrets: FirstRunSecrets) => Promise<void>,
  ): Promise<FirstRunSecrets> {
    if (!NAME.test(name)) throw tenantCreationErrors.invalidName({ name: name.slice(0, 80) });
    const people = {
      admin: { email: `admin@${name}.example.com`, password: randomSecret(15) },
      user: { email: `user@${name}.example.com`, password: randomSecret(15) },
    };
    const [keys, adminHash, userHash] = await Promise.all([
      signingKeys.makeFirstKeys(isDefault ? 'localhost' : `${name}.${baseDomain}`),
      hasher.hash(name, people.admin.password),
      hasher.hash(name, people.user.password),
    ]);
    const secrets = await transact(async (stores) => {
      const isNew = await stores.tenants.insert({
        tenantId: name,
        environment,
        isDefault,
        settings: { friendly_name: name, default_directory: DEFAULT_CONNECTION },
      });
      if (!isNew) throw tenantCreationErrors.nameTaken({ name });
      await signingKeys.createFirstKeys(stores, name, keys);
      const clients = await createClients(stores, { tenantId: name, environment });
      const directory = await createConnection(stores, name, {
        name: DEFAULT_CONNECTION,
        strategy: 'auth0',
        enabledClients: [clients.password.clientId, clients.spa.clientId],
        options: { passwordPolicy: 'good' },
      });
      const admins = await createConnection(stores, name, {
        name: ADMIN_CONNECTION,
        strategy: 'auth0',
        isSystem: true,
        options: { disable_signup: true, passwordPolicy: 'good' },
      });
      await createDatabaseUser(stores, name, directory, { email: people.user.email, emailVerified: true }, userHash);
      await createDatabaseUser(stores, name, admins, { email: people.admin.email, emailVerified: true }, adminHash);
      await stores.record(name, {
        type: 'managementChanged',
        description: 'Create a tenant',
        details: { request: { method: 'POST', channel: 'cli' } },
      });
      const made = describe(name, clients, people);
      await beforeCommit?.(made);
      return made;
    });
    forget(ALL_TENANTS);
    return secrets;
  }

  return { create };
}

export type TenantCreation = ReturnType<typeof createTenantCreation>;

function describe(
  name: string,
  clients: Awaited<ReturnType<typeof createClients>>,
  people: Pick<FirstRunSecrets, 'admin' | 'user'>,
): FirstRunSecrets {
  const { management, password, spa } = clients;
  return {
    tenant: name,
    management: { client_id: management.clientId, client_secret: management.secret ?? '' },
    admin: people.admin,
    password_client: { client_id: password.clientId, client_secret: password.secret ?? '' },
    spa_client: { client_id: spa.clientId },
    user: people.user,
    connection: DEFAULT_CONNECTION,
    api: { identifier: API_IDENTIFIER, scopes: API_SCOPES.map(({ value }) => value) },
  };
}

async function createClients(stores: Stores, tenant: { tenantId: string; environment: Environment }) {
  const { tenantId } = tenant;
  await ensureGlobalClient(stores, tenant);
  const system = await ensureManagementApi(stores, tenantId);
  await createResourceServer(stores, tenantId, {
    identifier: API_IDENTIFIER,
    name: 'Example API',
    scopes: API_SCOPES,
    allow_offline_access: true,
  });
  const management = await createClient(stores, tenant, {
    name: 'Management',
    app_type: 'non_interactive',
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
  });
  const password = await createClient(stores, tenant, {
    name: 'Password client',
    app_type: 'regular_web',
    grant_types: [
      'password',
      'http://auth0.com/oauth/grant-type/password-realm',
      'refresh_token',
      'client_credentials',
    ],
    token_endpoint_auth_method: 'client_secret_post',
    refresh_token: ROTATING,
  });
  // In a production tenant the entry for every localhost port would be refused: such an application registers its own URLs.
  const anywhere = tenant.environment === 'production' ? [] : [ANY_LOCALHOST];
  const spa = await createClient(stores, tenant, {
    name: 'Example application',
    app_type: 'spa',
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    callbacks: anywhere,
    allowed_origins: anywhere,
    web_origins: anywhere,
    allowed_logout_urls: anywhere,
    refresh_token: ROTATING,
  });
  await createClientGrant(
    stores,
    tenantId,
    { client_id: management.clientId, audience: MANAGEMENT_IDENTIFIER, scope: system.scopes.map(({ value }) => value) },
    MANAGEMENT_IDENTIFIER,
  );
  await createClientGrant(
    stores,
    tenantId,
    { client_id: password.clientId, audience: API_IDENTIFIER, scope: API_SCOPES.map(({ value }) => value) },
    API_IDENTIFIER,
  );
  return { management, password, spa };
}
