import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Body } from '../start/management-api.ts';
import { AUDIENCE, USER_SCOPES } from '../start/set-up-environment.ts';
import type { Demo } from '../start/start-everything.ts';
import { ask, askForToken, bearer, browserOf, claimsOf, freshToken, managementOf } from './ask.ts';
import type { Check } from './check.ts';

/** Of a user who lives for one check. */
export const GUEST_PASSWORD = 'Made-by-a-check-7a';
const SET_UP = fileURLToPath(new URL('../set-up.ts', import.meta.url));
const CONNECTION = 'Username-Password-Authentication';

/** One tenant an environment, and what the setup of each asks for. */
export const environmentChecks: readonly Check[] = [
  {
    id: 'PWD.9',
    what: 'each environment is a tenant of its own (`gatewright tenant create` and set-up.ts), with its own endpoints and keys',
    async run({ environments: { dev, int } }) {
      const keys: unknown[] = [];
      for (const { issuer, tenant } of [dev, int]) {
        assert.ok(issuer.startsWith(`http://${tenant}.`), `${issuer} does not name ${tenant}`);
        const discovery = await ask(`${issuer}.well-known/openid-configuration`);
        assert.equal(discovery.status, 200);
        assert.equal(discovery.body.issuer, issuer);
        assert.equal(discovery.body.token_endpoint, `${issuer}oauth/token`);
        const jwks = await ask(String(discovery.body.jwks_uri));
        keys.push(...(jwks.body.keys as readonly Body[]).map(({ kid }) => kid));
      }
      assert.equal(new Set(keys).size, keys.length, 'the environments share a key');
      return `${dev.issuer} and ${int.issuer}, ${keys.length} keys`;
    },
  },
  {
    id: 'PWD.10',
    what: 'users and tokens of dev are nobody in int, also for the management of users',
    async run({ environments: { dev, int } }) {
      const { token } = await browserOf(dev).login();
      const strange = browserOf(int);
      assert.equal((await strange.venues(token)).status, 401, 'the venue API of int took a token of dev');
      assert.equal((await strange.me(token)).status, 401, 'the user API of int took a token of dev');
      assert.equal((await strange.refresh(token)).status, 401, 'a session of dev was renewed in int');
      assert.equal((await strange.sendLogin(dev.user.email, dev.user.password)).status, 401);
      const management = await machineToken(dev);
      const users = `${int.issuer}api/v2/users?per_page=1`;
      assert.equal((await ask(users, { headers: bearer(management) })).status, 401);
      const call = await managementOf(int);
      const found = await call('GET', `/users-by-email?email=${encodeURIComponent(dev.user.email)}`);
      assert.deepEqual(found.items, []);
      return 'in int a token of dev is 401 at the venue API, the user API, its renewal and the Management API; its user is unknown';
    },
  },
  {
    id: 'PWD.11',
    what: 'a login without a realm means the default directory; without one the server names what is missing',
    async run({ environments: { dev } }) {
      const call = await managementOf(dev);
      assert.equal((await call('GET', '/tenants/settings')).default_directory, CONNECTION);
      await freshToken(dev);
      await call('PATCH', '/tenants/settings', { default_directory: '' });
      try {
        const { email: username, password } = dev.user;
        const answer = await askForToken(dev, { grant_type: 'password', username, password, audience: dev.audience });
        assert.equal(answer.status, 500);
        assert.equal(answer.body.error, 'server_error');
        assert.match(String(answer.body.error_description), /default connection/);
      } finally {
        await call('PATCH', '/tenants/settings', { default_directory: CONNECTION });
      }
      await freshToken(dev);
      return `${CONNECTION}; without it 500 server_error, “default connection”`;
    },
  },
  {
    id: 'PWD.12',
    what: 'the client is named after company and environment, and setting up once more makes no second one',
    async run(demo) {
      const { dev, int } = demo.environments;
      for (const { name, client, ...environment } of [dev, int]) {
        const call = await managementOf({ name, client, ...environment });
        assert.equal((await call('GET', `/clients/${client.id}`)).name, `acme-${name}`);
      }
      const before = await readFile(dev.files.services, 'utf8');
      const { stdout } = await promisify(execFile)(process.execPath, [SET_UP, dev.files.tenant]);
      assert.equal(await readFile(dev.files.services, 'utf8'), before, 'the services would be told something else');
      assert.equal((await stat(dev.files.services)).mode & 0o777, 0o600, 'others may read the secrets');
      assert.ok(!stdout.includes(dev.client.secret), 'it prints the secret');
      const call = await managementOf(dev);
      const count = async (path: string, fits: (item: Body) => boolean) =>
        ((await call('GET', path)).items as readonly Body[]).filter(fits).length;
      assert.equal(await count('/clients?per_page=100', ({ name }) => name === dev.tenant), 1);
      assert.equal(await count('/clients?per_page=100', ({ name }) => name === 'Token service'), 1);
      assert.equal(await count('/resource-servers?per_page=100', ({ identifier }) => identifier === AUDIENCE), 1);
      assert.equal(await count('/roles?per_page=100', ({ name }) => name === 'Member'), 1);
      assert.equal(await count(`/client-grants?client_id=${dev.client.id}`, () => true), 1);
      return 'acme-dev and acme-int; a second set-up left the same client, API, role and secrets, in a file of mode 600';
    },
  },
  {
    id: 'PWD.13',
    what: 'the client sends its secret in the body: HTTP Basic is 401 invalid_client',
    async run({ environments: { dev } }) {
      const { email: username, password } = dev.user;
      const form = { grant_type: 'password', username, password, audience: dev.audience };
      const refused = await askForToken(dev, form, { isBasic: true });
      assert.equal(refused.status, 401, refused.text);
      assert.equal(refused.body.error, 'invalid_client');
      assert.equal((await askForToken(dev, form)).status, 200);
      return '200 with client_secret in the form, 401 invalid_client with Basic';
    },
  },
  {
    id: 'PWD.14',
    what: 'the client may use password and client_credentials; other grants are unauthorized_client',
    async run({ environments: { dev } }) {
      await freshToken(dev);
      await machineToken(dev);
      const others = [
        { grant_type: 'authorization_code', code: 'x', redirect_uri: 'http://localhost/' },
        { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' },
      ];
      for (const form of others) {
        const { status, body } = await askForToken(dev, form);
        assert.deepEqual([status, body.error], [403, 'unauthorized_client'], form.grant_type);
      }
      return 'tokens for both; authorization_code and device_code are 403 unauthorized_client';
    },
  },
  {
    id: 'PWD.15',
    what: 'the client may create, read, update and delete users at the Management API, and nothing else',
    async run({ environments: { dev } }) {
      const token = await machineToken(dev);
      assert.deepEqual(String(claimsOf(token).scope).split(' ').sort(), [...USER_SCOPES].sort());
      const manage = (method: string, path: string, body?: Body) =>
        ask(`${dev.issuer}api/v2${path}`, {
          method,
          headers: { ...bearer(token), ...(body && { 'content-type': 'application/json' }) },
          ...(body && { body: JSON.stringify(body) }),
        });
      const email = `guest-${randomUUID()}@acme.example.com`;
      const guest = { connection: CONNECTION, email, password: GUEST_PASSWORD, email_verified: true };
      const made = await manage('POST', '/users', guest);
      assert.equal(made.status, 201, made.text);
      const path = `/users/${encodeURIComponent(String(made.body.user_id))}`;
      assert.equal((await manage('GET', path)).status, 200);
      assert.equal((await manage('PATCH', path, { nickname: 'guest' })).status, 200);
      assert.equal((await manage('DELETE', path)).status, 204);
      assert.equal((await manage('GET', '/clients')).status, 403, 'it may read clients');
      return `${USER_SCOPES.join(', ')}; a user made, read, changed and deleted; GET /clients is 403`;
    },
  },
];

async function machineToken(environment: Demo['environments']['dev']): Promise<string> {
  const { audience } = environment.newTenant.management;
  const answer = await askForToken(environment, { grant_type: 'client_credentials', audience });
  assert.equal(answer.status, 200, `client_credentials answered ${answer.status} ${answer.text}`);
  return String(answer.body.access_token);
}
