import { createHmac } from 'node:crypto';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, createTestUser, decodeJwt, eventsOf, passwordGrant, redeem } from '../protocol.ts';
import { rule, setRules } from '../rules/rules.ts';
import type { Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { setActions } from './actions.ts';

const PAGE = 'https://pages.example.com/ask';
const SECRET = 'a secret that the page knows as well';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

async function leave(user = world.user, visitor: Visitor = world.visitor()) {
  const begun = await visitor.authorize();
  const { email: username, password } = user;
  const response = await visitor.follow(await visitor.submit(begun.response, { username, password }));
  const url = new URL(String(response.headers.location));
  return { visitor, verifier: begun.verifier, url, state: url.searchParams.get('state') ?? '' };
}

async function claimsOf(response: Response, verifier: string) {
  const code = new URL(String(response.headers.location)).searchParams.get('code') ?? '';
  return decodeJwt((await redeem(world, { code, verifier })).json().id_token).claims;
}

/** What the page signs with the secret that it shares with the action. */
function signed(claims: Readonly<Record<string, unknown>>): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

describe('api.redirect.sendUserTo', () => {
  it('goes on in the same action, with the actions after it, and without the rules and the actions before', async () => {
    await setRules(world, [
      rule(`user.nickname = 'of a rule'; context.idToken.runs = (global.runs = (global.runs || 0) + 1);`),
    ]);
    await setActions(world, 'post-login', [
      `exports.onExecutePostLogin = async (event, api) => {
         api.transaction.setMetadata('asked', 'terms');
         api.idToken.setCustomClaim('before', event.request.query.client_id); };`,
      `exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo('${PAGE}?a=1', { query: { b: '2' } });
       exports.onContinuePostLogin = async (event, api) => {
         api.idToken.setCustomClaim('back', [event.request.query.answer, event.transaction.metadata.asked]); };`,
      `exports.onExecutePostLogin = async (event, api) => api.idToken.setCustomClaim('after', event.user.email_verified);`,
    ]);
    const ada = await createTestUser(world, 'ada');
    await world.api().patch(`/users/${ada.id}`, { email_verified: false });
    const { visitor, verifier, url, state } = await leave({ ...world.user, ...ada });
    expect(url.href).toBe(`${PAGE}?a=1&b=2&state=${state}`);
    await world.api().patch(`/users/${ada.id}`, { email_verified: true });
    const claims = await claimsOf(await visitor.get(`/continue?state=${state}&answer=yes`), verifier);
    expect(claims).toMatchObject({
      before: world.spa_client.client_id,
      back: ['yes', 'terms'],
      after: true,
      // The profile as it is by now, with what a rule made of it before.
      email_verified: true,
      nickname: 'of a rule',
      runs: 1,
    });
    await setRules(world, []);
  });

  it('tells the session, the proof and the latest pages of a login that was sent to a page again and again', async () => {
    await setActions(world, 'post-login', [
      `const ask = (api) => api.redirect.sendUserTo('${PAGE}');
       exports.onExecutePostLogin = async (event, api) => ask(api);
       exports.onContinuePostLogin = async (event, api) => { if (event.request.query.answer !== 'right') ask(api); };`,
    ]);
    const { visitor, state: first } = await leave();
    let state = first;
    for (let times = 0; times < 25; times++) {
      const { headers } = await visitor.get(`/continue?state=${state}&answer=wrong`);
      state = new URL(String(headers.location)).searchParams.get('state') ?? '';
    }
    const [event] = await eventsOf(
      world,
      async () => void (await visitor.get(`/continue?state=${state}&answer=right`)),
    );
    const { prompts, ...details } = Object(event?.details);
    expect(details).toMatchObject({
      session_id: expect.any(String),
      elapsedTime: expect.any(Number),
      stats: { loginsCount: expect.any(Number) },
      actions: { executions: Array(20).fill(expect.any(String)) },
    });
    expect(prompts).toHaveLength(20);
    expect(prompts[0]).toMatchObject({ name: 'prompt-authenticate', flow: 'universal-login' });
    expect(prompts[19]).toMatchObject({ name: 'redirect', completedAt: expect.any(Number) });
    const { results } = (await world.api().get(`/actions/executions/${details.actions.executions[19]}`)).json();
    expect(results).toHaveLength(1);
  });

  it('RUL.31: what the page sends back is believed where it is signed, for this user and this redirect', async () => {
    await setActions(world, 'post-login', [
      {
        secrets: [{ name: 'SHARED', value: SECRET }],
        code: `exports.onExecutePostLogin = async (event, api) => {
            const token = api.redirect.encodeToken({ secret: event.secrets.SHARED, payload: { colour: 'blue' } });
            api.redirect.sendUserTo('${PAGE}', { query: { session_token: token } });
          };
          exports.onContinuePostLogin = async (event, api) => {
            try {
              const { answer } = api.redirect.validateToken({ secret: event.secrets.SHARED });
              api.idToken.setCustomClaim('answer', answer);
            } catch (error) { api.access.deny(error.message); }
          };`,
      },
    ]);
    for (const isForged of [false, true]) {
      const { visitor, verifier, url, state } = await leave();
      const { claims } = decodeJwt(url.searchParams.get('session_token'));
      expect(claims).toMatchObject({ colour: 'blue', sub: expect.stringMatching(/^auth0\|/) });
      const token = signed({ ...claims, state: isForged ? 'another' : state, answer: 'yes' });
      const response = await visitor.get(`/continue?state=${state}&session_token=${token}`);
      if (isForged) expect(response.headers.location).toMatch(/error=access_denied.*State/);
      else expect(await claimsOf(response, verifier)).toMatchObject({ answer: 'yes' });
      expect((await visitor.get(`/continue?state=${state}&session_token=${token}`)).statusCode).toBe(400);
    }
  });

  it('can come after a redirect of a rule, and more than one action may send the user away', async () => {
    await setRules(world, [
      rule(`if (context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}?by=rule' };`),
    ]);
    const away = (name: string) =>
      `exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo('${PAGE}?by=${name}');
       exports.onContinuePostLogin = async (event, api) => api.idToken.setCustomClaim('${name}', event.request.query.by);`;
    await setActions(world, 'post-login', [away('one'), away('two')]);
    const { visitor, verifier, url, state } = await leave();
    let at = url;
    const places = [url.searchParams.get('by')];
    let response = await visitor.get(`/continue?state=${state}&by=page`);
    for (let hop = 0; hop < 2; hop++) {
      at = new URL(String(response.headers.location));
      places.push(at.searchParams.get('by'));
      response = await visitor.get(`/continue?state=${at.searchParams.get('state')}&by=page`);
    }
    expect(places).toEqual(['rule', 'one', 'two']);
    expect(await claimsOf(response, verifier)).toMatchObject({ one: 'page', two: 'page' });
    await setRules(world, []);
  });

  it('is refused where there is no browser, and an action can ask before', async () => {
    await setActions(world, 'post-login', [
      `exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo('${PAGE}');`,
    ]);
    expect((await passwordGrant(world)).json()).toMatchObject({ error: 'interaction_required' });
    await setActions(world, 'post-login', [
      `exports.onExecutePostLogin = async (event, api) => { if (api.redirect.canRedirect()) api.redirect.sendUserTo('${PAGE}'); };`,
    ]);
    expect(await created(passwordGrant(world))).toHaveProperty('access_token');
  });
});
