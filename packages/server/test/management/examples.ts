import { codeExamples } from './code-examples.ts';
import { publicKey, type Things } from './inhabited-tenant.ts';
import { logStreamExamples } from './log-stream-examples.ts';
import { pageExamples } from './page-examples.ts';

/** A request that the tenant of these things answers with success. */
export interface Example {
  readonly path: string;
  readonly body?: unknown;
}

/**
 * One request for each operation that is built, in an order in which each succeeds: reads, changes, then the ends of
 * things. What is missing here is missing in every test that walks the Management API, so a test compares it with the router.
 */
export function examplesFor(things: Things): Readonly<Record<string, Example>> {
  const { client, credential, grant, connection, role, key, previousKey, log, session, refreshToken, customDomain } =
    things;
  const user = encodeURIComponent(things.user);
  const person = encodeURIComponent(things.person);
  const api = encodeURIComponent(things.api);
  const another = `another-${++serial}`;
  const permissions = [{ resource_server_identifier: things.identifier, permission_name: things.permission }];
  return {
    'GET /tenants/settings': { path: '/tenants/settings' },
    'GET /clients': { path: '/clients' },
    'GET /clients/{id}': { path: `/clients/${client}` },
    'GET /clients/{id}/connections': { path: `/clients/${client}/connections` },
    'GET /clients/{client_id}/credentials': { path: `/clients/${client}/credentials` },
    'GET /clients/{client_id}/credentials/{credential_id}': { path: `/clients/${client}/credentials/${credential}` },
    'GET /resource-servers': { path: '/resource-servers' },
    'GET /resource-servers/search': { path: `/resource-servers/search?q=id:${things.api}&sort=name` },
    'GET /resource-servers/{id}': { path: `/resource-servers/${api}` },
    'GET /token-exchange-profiles': { path: '/token-exchange-profiles' },
    'GET /token-exchange-profiles/{id}': { path: `/token-exchange-profiles/${things.profile}` },
    'GET /client-grants': { path: '/client-grants' },
    'GET /client-grants/{id}': { path: `/client-grants/${grant}` },
    'GET /client-grants/{id}/organizations': { path: `/client-grants/${grant}/organizations` },
    'GET /connections': { path: '/connections' },
    'GET /connections/{id}': { path: `/connections/${connection}` },
    'GET /connections/{id}/clients': { path: `/connections/${connection}/clients` },
    'GET /users': { path: '/users' },
    'GET /users-by-email': { path: `/users-by-email?email=${encodeURIComponent(things.email)}` },
    'GET /users/{id}': { path: `/users/${user}` },
    'GET /users/{id}/roles': { path: `/users/${user}/roles` },
    'GET /users/{id}/permissions': { path: `/users/${user}/permissions` },
    'GET /users/{id}/logs': { path: `/users/${user}/logs` },
    'GET /users/{user_id}/sessions': { path: `/users/${person}/sessions` },
    'GET /sessions/{id}': { path: `/sessions/${session}` },
    'GET /users/{user_id}/refresh-tokens': { path: `/users/${person}/refresh-tokens` },
    'GET /refresh-tokens': { path: `/refresh-tokens?user_id=${person}` },
    'GET /refresh-tokens/{id}': { path: `/refresh-tokens/${refreshToken}` },
    'GET /device-credentials': { path: `/device-credentials?user_id=${person}` },
    'GET /roles': { path: '/roles' },
    'GET /roles/{id}': { path: `/roles/${role}` },
    'GET /roles/{id}/permissions': { path: `/roles/${role}/permissions` },
    'GET /roles/{id}/users': { path: `/roles/${role}/users` },
    'GET /grants': { path: `/grants?user_id=${user}` },
    'GET /custom-domains': { path: '/custom-domains' },
    'GET /custom-domains/default': { path: '/custom-domains/default' },
    'GET /custom-domains/{id}': { path: `/custom-domains/${customDomain}` },
    'GET /keys/signing': { path: '/keys/signing' },
    'GET /keys/signing/{kid}': { path: `/keys/signing/${key}` },
    'GET /logs': { path: '/logs' },
    'GET /logs/{id}': { path: `/logs/${log}` },
    'GET /gatewright/logs/stream': { path: '/gatewright/logs/stream?follow=false' },
    'GET /jobs/{id}': { path: `/jobs/${things.job}` },
    'GET /stats/daily': { path: '/stats/daily' },
    'GET /stats/active-users': { path: '/stats/active-users' },
    'GET /gatewright/alerts': { path: '/gatewright/alerts' },
    'GET /gatewright/alerts/{id}': { path: `/gatewright/alerts/${things.alert}` },
    'GET /gatewright/alert-settings': { path: '/gatewright/alert-settings' },

    'PATCH /tenants/settings': { path: '/tenants/settings', body: { friendly_name: 'Example' } },
    'POST /clients': { path: '/clients', body: { name: another } },
    'PATCH /clients/{id}': { path: `/clients/${client}`, body: { description: 'changed' } },
    'POST /clients/{id}/rotate-secret': { path: `/clients/${client}/rotate-secret` },
    'POST /clients/{client_id}/credentials': {
      path: `/clients/${client}/credentials`,
      body: { credential_type: 'public_key', pem: PUBLIC_KEY },
    },
    'PATCH /clients/{client_id}/credentials/{credential_id}': {
      path: `/clients/${client}/credentials/${credential}`,
      body: { expires_at: '2099-01-01T00:00:00.000Z' },
    },
    'POST /resource-servers': { path: '/resource-servers', body: { identifier: `https://${another}.example/` } },
    'PATCH /resource-servers/{id}': { path: `/resource-servers/${api}`, body: { name: 'Changed' } },
    'POST /client-grants': {
      path: '/client-grants',
      body: { client_id: client, audience: things.identifier, scope: [], subject_type: 'user' },
    },
    'PATCH /client-grants/{id}': { path: `/client-grants/${grant}`, body: { scope: [] } },
    'POST /token-exchange-profiles': {
      path: '/token-exchange-profiles',
      body: {
        name: another,
        subject_token_type: `urn:example:${another}`,
        action_id: things.exchangeAction,
        type: 'custom_authentication',
      },
    },
    'PATCH /token-exchange-profiles/{id}': {
      path: `/token-exchange-profiles/${things.profile}`,
      body: { name: 'changed' },
    },
    'POST /connections': { path: '/connections', body: { name: another, strategy: 'auth0' } },
    'PATCH /connections/{id}': { path: `/connections/${connection}`, body: { display_name: 'Changed' } },
    'PATCH /connections/{id}/clients': {
      path: `/connections/${connection}/clients`,
      body: [{ client_id: client, status: false }],
    },
    'POST /users': {
      path: '/users',
      body: { connection: things.connectionName, email: `${another}@example.com`, password: 'Correct horse 2 battery' },
    },
    'PATCH /users/{id}': { path: `/users/${user}`, body: { nickname: 'changed' } },
    'POST /users/{id}/roles': { path: `/users/${user}/roles`, body: { roles: [role] } },
    'POST /users/{id}/permissions': { path: `/users/${user}/permissions`, body: { permissions } },
    'PATCH /sessions/{id}': { path: `/sessions/${session}`, body: { session_metadata: { device: 'changed' } } },
    'PATCH /refresh-tokens/{id}': {
      path: `/refresh-tokens/${refreshToken}`,
      body: { refresh_token_metadata: { device: 'changed' } },
    },
    'POST /device-credentials': {
      path: '/device-credentials',
      body: { device_name: 'Phone', type: 'public_key', value: 'key', device_id: 'abc-1' },
    },
    'POST /roles': { path: '/roles', body: { name: another } },
    'PATCH /roles/{id}': { path: `/roles/${role}`, body: { description: 'changed' } },
    'POST /roles/{id}/permissions': { path: `/roles/${role}/permissions`, body: { permissions } },
    'POST /roles/{id}/users': { path: `/roles/${role}/users`, body: { users: [things.user] } },
    'POST /custom-domains': {
      path: '/custom-domains',
      body: { domain: `${another}.example.com`, type: 'self_managed_certs' },
    },
    'PATCH /custom-domains/{id}': {
      path: `/custom-domains/${customDomain}`,
      body: { domain_metadata: { team: 'changed' } },
    },
    'POST /custom-domains/{id}/test': { path: `/custom-domains/${customDomain}/test` },
    'POST /custom-domains/{id}/verify': { path: `/custom-domains/${customDomain}/verify` },
    'PATCH /custom-domains/default': { path: '/custom-domains/default', body: { domain: things.ownHost } },
    'POST /keys/signing/rotate': { path: '/keys/signing/rotate' },
    'PUT /keys/signing/{kid}/revoke': { path: `/keys/signing/${previousKey}/revoke` },

    'PATCH /gatewright/alerts/{id}': { path: `/gatewright/alerts/${things.alert}`, body: { mute_hours: 1 } },
    'PUT /gatewright/alert-settings': {
      path: '/gatewright/alert-settings',
      body: { webhook: { url: 'https://alerts.example/hook' }, mail_to: ['operator@example.com'] },
    },
    'POST /refresh-tokens/revoke': { path: '/refresh-tokens/revoke', body: { ids: [refreshToken] } },
    'DELETE /refresh-tokens/{id}': { path: `/refresh-tokens/${refreshToken}` },
    'DELETE /device-credentials/{id}': { path: `/device-credentials/${refreshToken}` },
    'DELETE /users/{user_id}/refresh-tokens': { path: `/users/${person}/refresh-tokens` },
    'POST /sessions/{id}/revoke': { path: `/sessions/${session}/revoke` },
    'DELETE /sessions/{id}': { path: `/sessions/${session}` },
    'DELETE /users/{user_id}/sessions': { path: `/users/${person}/sessions` },
    'POST /users/{id}/revoke-access': { path: `/users/${person}/revoke-access`, body: {} },
    'DELETE /grants/{id}': { path: `/grants/${things.consent}` },
    'DELETE /grants': { path: `/grants?user_id=${user}` },
    ...pageExamples(things.theme),
    ...codeExamples(things.code, another),
    ...logStreamExamples(things.logStream, another),
    'POST /tickets/password-change': { path: '/tickets/password-change', body: { user_id: things.user } },
    'POST /tickets/email-verification': { path: '/tickets/email-verification', body: { user_id: things.user } },
    'POST /jobs/verification-email': { path: '/jobs/verification-email', body: { user_id: things.user } },

    'POST /users/{id}/identities': {
      path: `/users/${person}/identities`,
      body: { provider: 'auth0', user_id: things.secondary },
    },
    'DELETE /users/{id}/identities/{provider}/{user_id}': {
      path: `/users/${person}/identities/auth0/${things.secondary.replace('auth0|', '')}`,
    },
    'DELETE /users/{id}/permissions': { path: `/users/${user}/permissions`, body: { permissions } },
    'DELETE /users/{id}/roles': { path: `/users/${user}/roles`, body: { roles: [role] } },
    'DELETE /custom-domains/{id}': { path: `/custom-domains/${customDomain}` },
    'DELETE /roles/{id}/permissions': { path: `/roles/${role}/permissions`, body: { permissions } },
    'DELETE /roles/{id}': { path: `/roles/${role}` },
    'DELETE /users/{id}': { path: `/users/${user}` },
    'DELETE /connections/{id}/users': { path: `/connections/${connection}/users?email=another%40example.com` },
    'DELETE /connections/{id}': { path: `/connections/${connection}` },
    'DELETE /token-exchange-profiles/{id}': { path: `/token-exchange-profiles/${things.profile}` },
    'DELETE /client-grants/{id}': { path: `/client-grants/${grant}` },
    'DELETE /clients/{client_id}/credentials/{credential_id}': { path: `/clients/${client}/credentials/${credential}` },
    'DELETE /clients/{id}': { path: `/clients/${client}` },
    'DELETE /resource-servers/{id}': { path: `/resource-servers/${api}` },
  };
}

/** Only an end user's token has their scope: others get 403. */
export const FOR_END_USERS: ReadonlySet<string> = new Set(['POST /device-credentials']);

const PUBLIC_KEY = publicKey();
let serial = 0;
