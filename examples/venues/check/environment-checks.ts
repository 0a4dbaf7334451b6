import assert from 'node:assert/strict';
import type { Body } from '../start/management-api.ts';
import { USER_SCOPES } from '../start/set-up-environment.ts';
import { type Demo, LOOPBACK } from '../start/start-everything.ts';
import { ask, askForToken, bearer, browserOf, claimsOf, freshToken, managementOf } from './ask.ts';
import type { Check } from './check.ts';

const CONNECTION = 'Username-Password-Authentication';

/** One tenant an environment, and what the setup of each asks for. */
export const environmentChecks: readonly Check[] = [
  {
    id: 'PWD.9',
    what: 'each environment is a tenant of its own, with its own endpoints and keys',
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
    },
  },
  {
    id: 'PWD.12',
    what: 'the client is named after company and environment',
    async run(demo) {
      for (const environment of Object.values(demo.environments)) {
        const call = await managementOf(environment);
        const { name } = await call('GET', `/clients/${environment.client.id}`);
        assert.equal(name, `acme-${environment.name}`);
      }
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
      const email = `guest-${Date.now()}@acme.example.com`;
      const password = 'Made-by-a-check-7a';
      const made = await manage('POST', '/users', { connection: CONNECTION, email, password, email_verified: true });
      assert.equal(made.status, 201, made.text);
      const path = `/users/${encodeURIComponent(String(made.body.user_id))}`;
      assert.equal((await manage('GET', path)).status, 200);
      assert.equal((await manage('PATCH', path, { nickname: 'guest' })).status, 200);
      assert.equal((await manage('DELETE', path)).status, 204);
      assert.equal((await manage('GET', '/clients')).status, 403, 'it may read clients');
    },
  },
];

async function machineToken(environment: Demo['environments']['dev']): Promise<string> {
  const { audience } = environment.management;
  const answer = await askForToken(environment, { grant_type: 'client_credentials', audience });
  assert.equal(answer.status, 200, `client_credentials answered ${answer.status} ${answer.text}`);
  return String(answer.body.access_token);
}

/** The five roles, each where it runs. */
export const roleCheck: Check = {
  id: 'PWD.3',
  what: 'owner, user agent, client, resource server and authorization server are five, and all are there',
  async run({ environments: { dev }, memcached }) {
    const page = await ask(`${dev.userApi}/`);
    assert.match(page.text, /<title>Acme Venues/, 'the page of the user agent');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    for (const file of ['page.js', 'session.js', 'page.css'])
      assert.equal((await ask(`${dev.userApi}/${file}`)).status, 200, file);
    assert.equal((await ask(`${dev.userApi}/health/live`)).status, 200, 'the client');
    assert.equal((await ask(`${dev.venueApi}/health/live`)).status, 200, 'the resource server');
    assert.equal((await ask(`${dev.tokenService}/health/ready`)).status, 200, 'the token service');
    assert.equal((await ask(`${dev.issuer}.well-known/jwks.json`)).status, 200, 'the authorization server');
    assert.match(await memcached.version(), /^VERSION 1\./);
    assert.ok(memcached.address.startsWith(LOOPBACK));
  },
};
