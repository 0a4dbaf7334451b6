import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from '../recorder/recorder.ts';
import { createSecretSearch, type Secret, tokensIn } from '../recorder/search-recording.ts';
import type { Demo } from '../start/start-everything.ts';
import { browserOf, cacheKeyOf, claimsOf, loggedInOf, managementOf, rotationsIn } from './ask.ts';
import type { Check } from './check.ts';
import { GUEST_PASSWORD } from './environment-checks.ts';
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
      const loggedIn = await browser.login().finally(() => call('PATCH', api, { token_lifetime: usual }));
      const { token, expiresAt } = loggedIn;
      const millisecondsLeft = () => expiresAt * 1000 - Date.now();
      const early = await browser.venues(token);
      // A machine that takes seconds for two requests is right to refuse.
      assert.ok(early.status === 200 || millisecondsLeft() <= 0, `it answered ${early.status} before the end`);
      await sleep(Math.max(0, millisecondsLeft()) + 1_000);
      assert.equal((await browser.venues(token)).status, 401, 'it is good for longer than it says');
      const renewed = await browser.refresh(token);
      assert.equal(renewed.status, 200, renewed.text);
      const next = loggedInOf(renewed).token;
      assert.equal((await browser.venues(next)).status, 200);
      const { exp, iat } = claimsOf(token);
      return `a token for ${Number(exp) - Number(iat)} s: then 401; renewed: 200`;
    },
  },
  {
    id: 'PWD.17',
    what: 'at login the refresh token goes to memcached under the access token, for a month; a dump tells nothing',
    async run(demo) {
      const { environments, memcached, memcachedRecorder, exchanges } = demo;
      const { dev } = environments;
      const { token } = await browserOf(dev).login();
      const left = await memcached.secondsLeftOf(cacheKeyOf(token, dev));
      assert.ok(left !== undefined && left > MONTH_SECONDS - 600 && left <= MONTH_SECONDS, `it is kept for ${left} s`);
      const dump = await memcached.dump();
      assert.ok(dump.includes(cacheKeyOf(token, dev)), 'the dump lacks the entry');
      const secrets = [
        ...tokensIn(exchanges, 'access_token').map((value) => ({ name: 'an access token', value })),
        { name: 'the payload of the access token', value: token.split('.')[1] ?? token },
        { name: 'the user', value: dev.user.id },
        ...passwordsOf(demo),
        ...secretsOf(demo),
        ...tokensIn(exchanges, 'refresh_token').map((value) => ({ name: 'a refresh token', value })),
      ];
      const search = createSecretSearch(secrets);
      assert.deepEqual(search.inText(dump), [], 'in the dump');
      const sent = memcachedRecorder?.text() ?? '';
      assert.ok(sent.includes(cacheKeyOf(token, dev)), 'the recording of memcached lacks the entry');
      assert.deepEqual(search.inText(sent), [], 'on the way to memcached or back');
      // Not merely its first letters, which any ciphertext may have.
      for (const text of [dump, sent]) assert.doesNotMatch(text, /eyJ[\w-]+\.eyJ/, 'something that looks like a token');
      const size = Math.round((dump.length + sent.length) / 1024);
      return `kept for ${left} s; ${secrets.length} tokens and secrets looked for in ${size} KB of dump and traffic: none there`;
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
      const permissions = [...(body.permissions as string[])].sort();
      assert.deepEqual(permissions, ['book:venues', 'read:venues']);
      assert.equal((await browser.refresh(token)).status, 200, 'the refresh token is lost');
      return `after ${asked.length} requests at once: ${user.email}, ${permissions.join(', ')}, and the session can be renewed`;
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
      const rotations = rotationsIn(demo) - before;
      assert.equal(rotations, 1, 'rotations');
      return `${answers.length} answers and one a moment later: ${tokens.size} token, ${rotations} rotation`;
    },
  },
  {
    id: 'PWD.20',
    what: 'with the new token everything is as before, five refreshes in a row; a logout ends it everywhere',
    async run({ environments: { int } }) {
      const browser = browserOf(int);
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
      await staleness(int);
      assert.equal((await browser.venues(last)).status, 401, 'the token is good after the logout');
      assert.equal((await browser.logout(last)).status, 204, 'a second logout is no error');
      return `${tokens.length} tokens of one session, 200 with each; 401 after the logout, at its renewal and at the venue API`;
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
      const tokens = refreshTokens.map((value, index) => ({ name: `refresh token ${index + 1}`, value }));
      const passwords = passwordsOf(demo);
      const all = createSecretSearch([...tokens, ...passwords, ...secretsOf(demo)]);

      // The login form's own request carries the password to the backend, and nothing else of it.
      const [logins, others] = [elsewhere.filter(isLogin), elsewhere.filter((exchange) => !isLogin(exchange))];
      const forms = logins.map(({ requestBody }) => requestBody).join('\n');
      assert.notDeepEqual(createSecretSearch(passwords).inText(forms), [], 'no login was recorded');
      assert.deepEqual(createSecretSearch([...tokens, ...secretsOf(demo)]).inText(forms), [], 'in login forms');
      assert.deepEqual(all.inRecording(logins.map((exchange) => ({ ...exchange, requestBody: '' }))), []);
      assert.deepEqual(all.inRecording(others), []);
      // What the token service asks Gatewright is about access tokens alone.
      const questions = ofGatewright.filter(({ url }) => /^\/(oauth\/introspect|userinfo)/.test(url));
      assert.ok(questions.length > 0, 'no question of the token service was recorded');
      assert.deepEqual(createSecretSearch([...tokens, ...passwords]).inRecording(questions), []);
      for (const { name, printed } of processes) assert.deepEqual(all.inText(printed()), [], `${name} printed it`);
      const searched = `${elsewhere.length + questions.length} requests with their answers, and the output of ${processes.length} processes`;
      return `${tokens.length} refresh tokens and ${passwords.length} passwords looked for in ${searched}: in ${logins.length} login forms, and nowhere else`;
    },
  },
];

function isLogin({ to, method, url }: Exchange): boolean {
  return to.startsWith('user-api') && method === 'POST' && url === '/session/login';
}

function passwordsOf({ environments }: Demo): readonly Secret[] {
  const ofUsers = Object.values(environments).map(({ name, user }) => ({
    name: `the password of the user (${name})`,
    value: user.password,
  }));
  return [...ofUsers, { name: 'the password of a guest', value: GUEST_PASSWORD }];
}

/** What nobody but the backend has to know, tokens and passwords aside. */
function secretsOf({ environments }: Demo): readonly Secret[] {
  return Object.values(environments).flatMap(({ name, client, introspection, guardSecret }) => [
    { name: `the client’s secret (${name})`, value: client.secret },
    { name: `the token service’s secret (${name})`, value: introspection.secret },
    { name: `the guards’ secret (${name})`, value: guardSecret },
  ]);
}
