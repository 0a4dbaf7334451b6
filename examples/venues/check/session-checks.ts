import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { findIn, type Secret, searchRecording, tokensIn } from '../recorder/search-recording.ts';
import type { Demo } from '../start/start-everything.ts';
import { browserOf, cacheKeyOf, loggedInOf, managementOf, rotationsIn } from './ask.ts';
import type { Check } from './check.ts';
import { staleness } from './request-checks.ts';

const SHORT_SECONDS = 3;
const MONTH_SECONDS = 30 * 24 * 3600;

/** Sessions that outlive their access tokens, and a refresh token that nobody outside ever sees. */
export const sessionChecks: readonly Check[] = [
  {
    id: 'PWD.16',
    what: 'an access token expires in the middle of a session: 401, and the page renews it',
    async run({ environments: { dev } }) {
      const call = await managementOf(dev);
      const api = `/resource-servers/${encodeURIComponent(dev.audience)}`;
      const { token_lifetime: usual } = await call('GET', api);
      await call('PATCH', api, { token_lifetime: SHORT_SECONDS });
      const browser = browserOf(dev);
      try {
        const { token, expiresAt } = await browser.login();
        assert.equal((await browser.venues(token)).status, 200);
        await sleep(Math.max(0, expiresAt * 1000 - Date.now()) + 1_000);
        assert.equal((await browser.venues(token)).status, 401, 'it is good for longer than it says');
        const renewed = await browser.refresh(token);
        assert.equal(renewed.status, 200, renewed.text);
        assert.equal((await browser.venues(loggedInOf(renewed).token)).status, 200);
      } finally {
        await call('PATCH', api, { token_lifetime: usual });
      }
    },
  },
  {
    id: 'PWD.17',
    what: 'at login the refresh token goes to memcached under the access token, for a month; a dump tells nothing',
    async run(demo) {
      const { environments, memcached, exchanges } = demo;
      const { dev } = environments;
      const { token } = await browserOf(dev).login();
      const left = await memcached.secondsLeftOf(cacheKeyOf(token, dev));
      assert.ok(left !== undefined && left > MONTH_SECONDS - 60 && left <= MONTH_SECONDS, `it is kept for ${left} s`);
      const dump = await memcached.dump();
      assert.ok(dump.includes(cacheKeyOf(token, dev)), 'the dump lacks the entry');
      const secrets = [
        ...tokensIn(exchanges, 'access_token').map((value) => ({ name: 'an access token', value })),
        { name: 'the payload of the access token', value: token.split('.')[1] ?? token },
        { name: 'the user', value: dev.user.id },
        ...secretsOf(demo),
        ...tokensIn(exchanges, 'refresh_token').map((value) => ({ name: 'a refresh token', value })),
      ];
      assert.deepEqual(findIn(dump, secrets), []);
      // Not merely its first letters, which any ciphertext may have.
      assert.doesNotMatch(dump, /eyJ[\w-]+\.eyJ/, 'something that looks like a token');
    },
  },
  {
    id: 'PWD.18',
    what: 'the services add user and permissions under that key, many at once, and the refresh token stays there',
    async run({ environments: { dev } }) {
      const browser = browserOf(dev);
      const { token } = await browser.login();
      const asked = Array.from({ length: 10 }, () => [browser.me(token), browser.venues(token)]).flat();
      for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
      const { body } = await browser.me(token);
      const user = body.user as Readonly<Record<string, unknown>>;
      assert.deepEqual([user.sub, user.email], [dev.user.id, dev.user.email]);
      assert.deepEqual([...(body.permissions as string[])].sort(), ['book:venues', 'read:venues']);
      assert.equal((await browser.refresh(token)).status, 200, 'the refresh token is lost');
    },
  },
  {
    id: 'PWD.19',
    what: 'twenty refreshes of one access token at once are one rotation, and all get the same new token',
    async run(demo) {
      const { dev } = demo.environments;
      const browser = browserOf(dev);
      const { token } = await browser.login();
      const before = rotationsIn(demo);
      const answers = await Promise.all(Array.from({ length: 20 }, () => browser.refresh(token)));
      for (const { status, text } of answers) assert.equal(status, 200, text);
      const tokens = new Set(answers.map((answer) => loggedInOf(answer).token));
      assert.equal(tokens.size, 1);
      const late = loggedInOf(await browser.refresh(token));
      assert.ok(tokens.has(late.token), 'a second tab, a moment later, got another token');
      assert.equal(rotationsIn(demo) - before, 1);
    },
  },
  {
    id: 'PWD.20',
    what: 'with the new token everything is as before, five refreshes in a row; a logout ends it everywhere',
    async run(demo) {
      const { dev } = demo.environments;
      const browser = browserOf(dev);
      const tokens = [(await browser.login()).token];
      for (let time = 0; time < 5; time++) {
        const renewed = await browser.refresh(tokens.at(-1) ?? '');
        assert.equal(renewed.status, 200, renewed.text);
        const { token } = loggedInOf(renewed);
        assert.equal((await browser.venues(token)).status, 200);
        assert.equal((await browser.me(token)).status, 200);
        tokens.push(token);
      }
      assert.equal(new Set(tokens).size, 6);
      const last = tokens.at(-1) ?? '';
      assert.equal((await browser.logout(last)).status, 204);
      assert.equal((await browser.refresh(last)).status, 401, 'the session goes on after its logout');
      await staleness(demo);
      assert.equal((await browser.venues(last)).status, 401, 'the token is good after the logout');
      assert.equal((await browser.logout(last)).status, 204, 'a second logout is no error');
    },
  },
  {
    id: 'PWD.21',
    what: 'refresh tokens and passwords are nowhere outside the backend: all traffic and all output was searched',
    async run(demo) {
      const { exchanges, processes } = demo;
      const ofGatewright = exchanges.filter(({ to }) => to === 'Gatewright');
      const refreshTokens = tokensIn(ofGatewright, 'refresh_token');
      assert.ok(refreshTokens.length > 5, 'the recording holds too few refresh tokens to be one');
      const elsewhere = exchanges.filter(({ to }) => to !== 'Gatewright');
      assert.ok(elsewhere.length > 50, 'the recording is too small to be one');
      const secrets = [
        ...refreshTokens.map((value, index) => ({ name: `refresh token ${index + 1}`, value })),
        ...secretsOf(demo),
      ];
      // A login is the one request with a password; what else it has is searched.
      const searched = elsewhere.map((exchange) =>
        exchange.url === '/session/login' && exchange.to.startsWith('user-api')
          ? { ...exchange, requestBody: '' }
          : exchange,
      );
      assert.deepEqual(searchRecording(searched, secrets), []);
      for (const { name, printed } of processes) assert.deepEqual(findIn(printed(), secrets), [], `${name} printed it`);
    },
  },
];

/** What is never to be seen outside the backend, refresh tokens aside. */
function secretsOf({ environments }: Demo): readonly Secret[] {
  return Object.values(environments).flatMap(({ name, user, client, introspection, guardSecret }) => [
    { name: `the password of the user (${name})`, value: user.password },
    { name: `the client’s secret (${name})`, value: client.secret },
    { name: `the token service’s secret (${name})`, value: introspection.secret },
    { name: `the guards’ secret (${name})`, value: guardSecret },
  ]);
}
