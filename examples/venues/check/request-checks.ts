import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Demo, DemoEnvironment } from '../start/start-everything.ts';
import { ask, askForToken, browserOf, cacheKeyOf, claimsOf, freshToken, managementOf, questionsTo } from './ask.ts';
import type { Check } from './check.ts';
import { missCheck } from './miss-check.ts';
import { roleCheck } from './role-check.ts';

/** What recommends itself as short-lived. */
const LONGEST_SECONDS = 900;

/** A request with a token, from the first login to the verdict in the cache. */
export const requestChecks: readonly Check[] = [
  {
    id: 'PWD.1',
    what: 'a user’s name and password become a short-lived access token, with and without a realm',
    async run({ environments: { dev } }) {
      const { token, expiresAt } = await browserOf(dev).login();
      const { exp, iat, sub } = claimsOf(token);
      assert.equal(sub, dev.user.id);
      const lifetime = Number(exp) - Number(iat);
      assert.ok(lifetime <= LONGEST_SECONDS, `it lives for ${lifetime} s`);
      assert.ok(Math.abs(expiresAt - Number(exp)) <= 2, 'the page is told another end than the token’s');
      const realm = await askForToken(dev, {
        grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
        realm: 'Username-Password-Authentication',
        username: dev.user.email,
        password: dev.user.password,
        audience: dev.audience,
      });
      assert.equal(realm.status, 200, realm.text);
      const wrong = await browserOf(dev).sendLogin(dev.user.email, 'not the password');
      assert.deepEqual([wrong.status, wrong.body.error], [401, 'wrong_credentials']);
      return `a token of ${sub} for ${lifetime} s; with a wrong password 401 wrong_credentials`;
    },
  },
  {
    id: 'PWD.2',
    what: 'the token opens the API',
    async run({ environments: { dev } }) {
      const { token } = await browserOf(dev).login();
      const { status, body } = await browserOf(dev).venues(token);
      assert.equal(status, 200);
      assert.ok(Array.isArray(body.venues) && body.venues.length > 0);
      const without = await ask(`${dev.venueApi}/venues`);
      assert.equal(without.status, 401);
      assert.match(without.headers.get('www-authenticate') ?? '', /^Bearer realm=/);
      const lacking = await ask(`${dev.venueApi}/venues/the-kiln`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${token}` },
      });
      assert.deepEqual([lacking.status, lacking.body.error], [403, 'insufficient_scope']);
      return `${body.venues.length} venues with it; 401 without; 403 for what the user’s role does not allow`;
    },
  },
  roleCheck,
  {
    id: 'PWD.4',
    what: 'what memcached knows is valid; once revoked and maxStale is over it is 401 everywhere',
    async run(demo) {
      const { dev, int } = demo.environments;
      const { token } = await browserOf(dev).login();
      const before = questionsTo(demo, dev);
      for (let time = 0; time < 3; time++) assert.equal((await browserOf(dev).venues(token)).status, 200);
      // Another service finds what the first one asked for.
      assert.equal((await browserOf(dev).me(token)).status, 200);
      assert.equal(questionsTo(demo, dev) - before, 1, 'the token service was asked more than once');

      const browser = browserOf(int);
      const { token: revoked } = await browser.login();
      assert.equal((await browser.venues(revoked)).status, 200);
      assert.equal((await browser.me(revoked)).status, 200);
      const call = await managementOf(int);
      await call('POST', `/users/${encodeURIComponent(int.user.id)}/revoke-access`, {});
      await staleness(int);
      assert.equal((await browser.venues(revoked)).status, 401, 'the venue API still takes the revoked token');
      assert.equal((await browser.me(revoked)).status, 401, 'the user API still takes the revoked token');
      assert.equal((await browser.refresh(revoked)).status, 401, 'the revoked session was renewed');
      return `4 requests to 2 services: 1 question; revoked, and ${int.maxStaleSeconds} s later: 401 from both, and no renewal`;
    },
  },
  missCheck,
  {
    id: 'PWD.6',
    what: 'the token service asks the authorization server, and nobody is logged out while that is away',
    async run(demo) {
      const { dev } = demo.environments;
      const [known, unknown] = [await freshToken(dev), await freshToken(dev)];
      const { venues, sendLogin } = browserOf(dev);
      assert.equal((await venues(known)).status, 200);
      await whileAway(demo, async () => {
        assert.equal((await venues(known)).status, 200, 'a token that was checked a moment ago');
        const refused = await venues(unknown);
        assert.equal(refused.status, 503, 'nobody could say, so it is no 401');
        assert.ok(Number(refused.headers.get('retry-after')) >= 1);
        assert.equal((await sendLogin()).status, 503);
      });
      assert.equal((await venues(unknown)).status, 200, 'when the authorization server is back');
      return 'meanwhile: 200 with a token that was checked before, 503 with Retry-After with a new one; afterwards 200';
    },
  },
  {
    id: 'PWD.7',
    what: 'what the authorization server says the token service says, to its callers alone',
    async run({ environments: { dev } }) {
      const token = await freshToken(dev);
      const verify = (secret: string) =>
        ask(`${dev.tokenService}/token/verify`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
          body: JSON.stringify({ token }),
        });
      const { status, body } = await verify(dev.callerSecrets.venues);
      assert.equal(status, 200);
      assert.equal(body.active, true);
      assert.equal((body.user as { sub?: unknown }).sub, dev.user.id);
      const permissions = [...(body.permissions as string[])].sort();
      assert.deepEqual(permissions, ['book:venues', 'read:venues']);
      assert.equal(body.expires_at, claimsOf(token).exp);
      assert.equal((await verify('nobody-knows-this-caller-at-all-0000')).status, 401);
      return `active, with user, end, and ${permissions.join(', ')}; 401 for a caller that nobody knows`;
    },
  },
  {
    id: 'PWD.8',
    what: 'the verdict is cached when the service has answered, and nothing before',
    async run(demo) {
      const { environments, memcached } = demo;
      const { dev } = environments;
      const token = await freshToken(dev);
      const key = cacheKeyOf(token, dev);
      await whileAway(demo, async () => assert.equal((await browserOf(dev).venues(token)).status, 503));
      assert.equal(await memcached.secondsLeftOf(key), undefined, 'an entry that nobody vouched for');
      assert.equal((await browserOf(dev).venues(token)).status, 200);
      const left = await memcached.secondsLeftOf(key);
      assert.ok(left !== undefined, 'there is no entry');
      assert.ok(left <= dev.maxStaleSeconds + 1, `it is kept for ${left} s`);
      return `no entry after the 503; after the 200 one for ${left} s`;
    },
  },
];

/** Until each verdict from before is too old; a second more, since entries count whole ones. */
export function staleness({ maxStaleSeconds }: DemoEnvironment): Promise<void> {
  return sleep((maxStaleSeconds + 1) * 1000);
}

/** Nobody reaches the authorization server meanwhile. */
async function whileAway({ gatewrightRecorder }: Demo, work: () => Promise<void>): Promise<void> {
  assert.ok(gatewrightRecorder, 'this check needs a recorder');
  gatewrightRecorder.cut();
  try {
    await work();
  } finally {
    gatewrightRecorder.mend();
  }
}
