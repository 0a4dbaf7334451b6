import { generateKeyPairSync } from 'node:crypto';
import { hexId } from '../../src/kit/ids.ts';
import { decodeJwt } from '../protocol.ts';
import { CALLBACK } from '../visitor.ts';
import type { ManagementClient, World, WorldTenant } from '../world.ts';
import { type CodeThings, codeOf } from './code-examples.ts';
import { logStreamOf } from './log-stream-examples.ts';
import { exampleTheme } from './page-examples.ts';

/** One of each thing that a tenant can have, by what requests call it. */
export interface Things {
  readonly client: string;
  readonly credential: string;
  readonly grant: string;
  readonly profile: string;
  readonly exchangeAction: string;
  readonly api: string;
  readonly identifier: string;
  readonly permission: string;
  readonly connection: string;
  readonly connectionName: string;
  readonly user: string;
  readonly email: string;
  readonly consent: string;
  readonly role: string;
  readonly key: string;
  readonly previousKey: string;
  readonly log: string;
  readonly theme: string;
  readonly customDomain: string;
  /** The host that the tenant has without a custom domain. */
  readonly ownHost: string;
  /** Somebody who is logged in, with a session and a refresh token at the SPA client. */
  readonly person: string;
  /** Another account of the same person. */
  readonly secondary: string;
  readonly session: string;
  readonly refreshToken: string;
  readonly job: string;
  readonly alert: string;
  readonly code: CodeThings;
  readonly logStream: string;
}

export interface Home extends Things {
  readonly tenant: WorldTenant;
  readonly manage: ManagementClient;
  readonly password: string;
}

const TEMPLATE = '<html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>';
const PASSWORD = 'Correct horse 1 battery';

/** Fills a tenant through its Management API. */
export async function inhabit(world: World, tenant: WorldTenant): Promise<Home> {
  const name = tenant.tenant;
  const manage = world.apiAt(tenant);
  const made = async (path: string, body: unknown) => {
    const response = await manage.post(path, body);
    if (response.statusCode >= 300) throw new Error(`POST ${path} answers ${response.body}`);
    return response.body === '' ? {} : response.json();
  };
  const identifier = `https://${name}.example/parts`;
  const permission = `read:parts-of-${name}`;
  const permissions = [{ resource_server_identifier: identifier, permission_name: permission }];
  const connectionName = `Staff-of-${name}`;
  const email = `ada@${name}.example`;

  const api = await made('/resource-servers', { identifier, scopes: [{ value: permission }] });
  const client = await made('/clients', { name: `Parts of ${name}`, app_type: 'regular_web' });
  const credential = await made(`/clients/${client.client_id}/credentials`, {
    credential_type: 'public_key',
    pem: publicKey(),
  });
  const grant = await made('/client-grants', {
    client_id: client.client_id,
    audience: identifier,
    scope: [permission],
  });
  const exchangeAction = await made('/actions/actions', {
    // What is filled a second time still has the first one's.
    name: `Exchange of ${name} ${hexId()}`,
    supported_triggers: [{ id: 'custom-token-exchange' }],
  });
  const profile = await made('/token-exchange-profiles', {
    name: `Parts of ${name}`,
    subject_token_type: `urn:${name}:parts`,
    action_id: exchangeAction.id,
    type: 'custom_authentication',
  });
  const connection = await made('/connections', {
    name: connectionName,
    strategy: 'auth0',
    enabled_clients: [tenant.password_client.client_id, tenant.spa_client.client_id, client.client_id],
  });
  const user = await made('/users', { connection: connectionName, email, password: PASSWORD });
  const job = await made('/jobs/verification-email', { user_id: user.user_id });
  const role = await made('/roles', { name: `Keeper of ${name}` });
  await made(`/roles/${role.id}/permissions`, { permissions });
  await made(`/roles/${role.id}/users`, { users: [user.user_id] });
  await made(`/users/${encodeURIComponent(user.user_id)}/permissions`, { permissions });
  const consent = { id: hexId(), userId: user.user_id, clientId: client.client_id, audience: identifier, scopes: [] };
  await world.app.stores.consents.give(name, consent, api.id);
  await made('/keys/signing/rotate', undefined);
  const keys: { kid: string; current: boolean; previous: boolean }[] = (await manage.get('/keys/signing')).json();
  const login = { username: `grace@${name}.example`, password: PASSWORD };
  const person = await made('/users', { connection: connectionName, email: login.username, password: PASSWORD });
  const secondary = await made('/users', {
    connection: connectionName,
    email: `grace.b@${name}.example`,
    password: PASSWORD,
  });
  const { session, refreshToken } = await loggedIn(world, tenant, connectionName, login);
  const domain = await made('/custom-domains', { domain: `login.${name}.example.com`, type: 'self_managed_certs' });
  const [log] = (await manage.get('/logs?per_page=1')).json();
  const facts = { summary: `Of ${name}.`, suggestion: '', count: 1 };
  const finding = { tenantId: name, rule: 'rate-limit', subject: client.client_id, facts } as const;
  const alert = await world.app.stores.alerts.fire(finding, world.now());

  return {
    tenant,
    // With a token of the current key: the one before ends with the previous key.
    manage: world.apiAt(tenant),
    password: PASSWORD,
    client: client.client_id,
    credential: credential.id,
    grant: grant.id,
    profile: profile.id,
    exchangeAction: exchangeAction.id,
    api: api.id,
    identifier,
    permission,
    connection: connection.id,
    connectionName,
    user: user.user_id,
    email,
    consent: consent.id,
    role: role.id,
    key: keys.find(({ current }) => current)?.kid ?? '',
    previousKey: keys.find(({ previous }) => previous)?.kid ?? '',
    log: log.log_id,
    theme: await dressed(manage),
    customDomain: domain.custom_domain_id,
    ownHost: new URL(tenant.origin).host,
    person: person.user_id,
    secondary: secondary.user_id,
    session,
    refreshToken,
    job: job.id,
    alert: alert?.alertId ?? '',
    code: await codeOf(world, manage, name),
    logStream: await logStreamOf(manage, name),
  };
}

/** The id of the tenant's theme; it has a page template, too. */
async function dressed(manage: ManagementClient): Promise<string> {
  await manage.put('/branding/templates/universal-login', { template: TEMPLATE });
  const known = await manage.get('/branding/themes/default');
  return (known.statusCode === 200 ? known : await manage.post('/branding/themes', exampleTheme())).json().themeId;
}

/** A login in a browser, and what the Management API calls its session and its refresh token. */
async function loggedIn(
  world: World,
  tenant: WorldTenant,
  connection: string,
  login: { readonly username: string; readonly password: string },
): Promise<Pick<Things, 'session' | 'refreshToken'>> {
  const { code, verifier } = await world.visitor(tenant).logIn({ parameters: { connection }, ...login });
  const form = {
    grant_type: 'authorization_code',
    client_id: tenant.spa_client.client_id,
    code,
    code_verifier: verifier,
    redirect_uri: CALLBACK,
  };
  const tokens = (await world.token(form, tenant)).json();
  const { sid } = decodeJwt(tokens.id_token).claims;
  const rows = await world.database.pool.query(
    `select token_id from refresh_tokens token join token_grants using (tenant_id, grant_id)
      where token.tenant_id = $1 and session_id = $2`,
    [tenant.tenant, sid],
  );
  return { session: String(sid), refreshToken: String(rows.rows[0]?.token_id) };
}

export function publicKey(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
