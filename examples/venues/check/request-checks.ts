import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Demo } from '../start/start-everything.ts';
import { ask, askForToken, browserOf, cacheKeyOf, claimsOf, freshToken, managementOf, questionsTo } from './ask.ts';
import type { Check } from './check.ts';
import { roleCheck } from './environment-checks.ts';

/** What recommends itself as short-lived. */
const LONGEST_SECONDS = 900;
const AT_ONCE = 100;

/** A request with a token, from the first login to the verdict in the cache. */
export const requestChecks: readonly Check[] = [
  {
    id: 'PWD.1',
    what: 'a user’s name and password become a short-lived access token, with and without a realm',
    async run({ environments: { dev } }) {
      const { token, expiresAt } = await browserOf(dev).login();
      const { exp, iat, sub } = claimsOf(token);
      assert.equal(sub, dev.user.id);
      assert.ok(Number(exp) - Number(iat) <= LONGEST_SECONDS, `it lives for ${Number(exp) - Number(iat)} s`);
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
    },
  },
  {
    id: 'PWD.2',
    what: 'the token opens the API: 200 with it, 401 without, 403 where the user’s role lacks a permission',
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
    },
  },
  roleCheck,
  {
    id: 'PWD.4',
    what: 'what memcached knows is valid: asked once, and 401 everywhere once it was revoked and maxStale is over',
    async run(demo) {
      const { dev } = demo.environments;
      const browser = browserOf(dev);
      const { token } = await browser.login();
      const before = questionsTo(demo, dev);
      for (let time = 0; time < 3; time++) assert.equal((await browser.venues(token)).status, 200);
      // Another service finds what the first one asked for.
      assert.equal((await browser.me(token)).status, 200);
      assert.equal(questionsTo(demo, dev) - before, 1, 'the token service was asked more than once');
      const call = await managementOf(dev);
      await call('POST', `/users/${encodeURIComponent(dev.user.id)}/revoke-access`, {});
      await staleness(demo);
      assert.equal((await browser.venues(token)).status, 401, 'the venue API still takes the revoked token');
      assert.equal((await browser.me(token)).status, 401, 'the user API still takes the revoked token');
      assert.equal((await browser.refresh(token)).status, 401, 'the revoked session was renewed');
    },
  },
  {
    id: 'PWD.5',
    what: `a miss asks the token service: once for ${AT_ONCE} requests with one token, once for a bad one`,
    async run(demo) {
      const { dev } = demo.environments;
      const token = await freshToken(dev);
      const [questions, counted] = [questionsTo(demo, dev), await statsOf(dev.venueApi)];
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => browserOf(dev).venues(token)));
      assert.ok(answers.every(({ status }) => status === 200));
      assert.equal((await browserOf(dev).venues(token)).status, 200);
      const asked = questionsTo(demo, dev) - questions;
      // Where a machine is so busy that the verdict grows too old meanwhile, one more is right.
      const seconds = (performance.now() - began) / 1000;
      const most = 1 + Math.floor(seconds / (demo.maxStaleSeconds - 1));
      assert.ok(asked >= 1 && asked <= most, `the token service was asked ${asked} times in ${seconds.toFixed(1)} s`);
      const now = await statsOf(dev.venueApi);
      assert.equal(now.asked - counted.asked, asked);
      assert.ok(now.misses > counted.misses, 'the miss was not counted');
      assert.ok(now.hits > counted.hits, 'the hit was not counted');
      const forged = forge(await freshToken(dev));
      for (let time = 0; time < 3; time++) assert.equal((await browserOf(dev).venues(forged)).status, 401);
      assert.equal(questionsTo(demo, dev) - questions - asked, 1, 'a refused token was asked about again at once');
    },
  },
  {
    id: 'PWD.6',
    what: 'the token service asks the authorization server; while that is away known tokens pass, new ones are 503',
    async run(demo) {
      const { dev } = demo.environments;
      const [known, unknown] = [await freshToken(dev), await freshToken(dev)];
      const venues = browserOf(dev).venues;
      assert.equal((await venues(known)).status, 200);
      await whileAway(demo, async () => {
        assert.equal((await venues(known)).status, 200, 'a token that was checked a moment ago');
        const refused = await venues(unknown);
        assert.equal(refused.status, 503, 'nobody could say, so it is no 401');
        assert.ok(Number(refused.headers.get('retry-after')) >= 1);
        assert.equal((await browserOf(dev).sendLogin()).status, 503);
      });
      assert.equal((await venues(unknown)).status, 200, 'when the authorization server is back');
    },
  },
  {
    id: 'PWD.7',
    what: 'what the authorization server says the token service says: user, permissions, end; to its callers alone',
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
      assert.deepEqual([...(body.permissions as string[])].sort(), ['book:venues', 'read:venues']);
      assert.equal(body.expires_at, claimsOf(token).exp);
      assert.equal((await verify('nobody-knows-this-caller-at-all-0000')).status, 401);
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
      assert.ok(left <= demo.maxStaleSeconds + 1, `it is kept for ${left} s`);
    },
  },
];

/** Until each verdict from before is too old; a second more, since entries count whole ones. */
export function staleness({ maxStaleSeconds }: Demo): Promise<void> {
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

async function statsOf(origin: string): Promise<Readonly<Record<'hits' | 'misses' | 'asked', number>>> {
  const { body } = await ask(`${origin}/stats`);
  return { hits: Number(body.hits), misses: Number(body.misses), asked: Number(body.asked) };
}

/** The same claims under a signature that is none of the tenant's. */
function forge(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  return [header, payload, signature.replace(/[A-Za-z]/g, (letter) => (letter === 'A' ? 'B' : 'A'))].join('.');
}
