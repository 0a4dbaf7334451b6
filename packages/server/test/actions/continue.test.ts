import { SignJWT } from 'jose';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, decodeJwt, passwordGrant, redeem } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { action, setActions } from './actions.ts';

const PAGE = 'https://pages.example.com/ask';
const SECRET = 'shared-with-the-page';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const BEFORE = action(
  'onExecutePostLogin',
  `global.before = (global.before || 0) + 1;
   api.idToken.setCustomClaim('before', global.before); api.transaction.setMetadata('note', 'kept');`,
);
const ASK = `${action(
  'onExecutePostLogin',
  `const token = api.redirect.encodeToken({ secret: '${SECRET}', payload: { question: 'colour' } });
   if (api.redirect.canRedirect()) api.redirect.sendUserTo('${PAGE}', { query: { session_token: token } });`,
)}
exports.onContinuePostLogin = async (event, api) => {
  const answer = api.redirect.validateToken({ secret: '${SECRET}' });
  api.idToken.setCustomClaim('answer', [answer.colour, event.transaction.metadata.note]);
  api.user.setUserMetadata('colour', answer.colour);
};`;
const AFTER = action('onExecutePostLogin', `api.idToken.setCustomClaim('after', event.user.user_metadata.colour);`);

async function leave() {
  const visitor = world.visitor();
  const begun = await visitor.authorize({ scope: 'openid' });
  const { email: username, password } = world.user;
  const response = await visitor.follow(await visitor.submit(begun.response, { username, password }));
  const url = new URL(String(response.headers.location));
  return { visitor, url, verifier: begun.verifier, state: url.searchParams.get('state') ?? '' };
}

const say = (claims: Record<string, unknown>) =>
  new SignJWT({ iss: 'pages.example.com', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(new TextEncoder().encode(SECRET));
const parameterOf = (response: Response, name: string) =>
  new URL(String(response.headers.location)).searchParams.get(name) ?? '';

describe('api.redirect of actions', () => {
  it('leaves at that action, goes on with its other function, and then with the actions after it', async () => {
    await setActions(world, 'post-login', [BEFORE, ASK, AFTER]);
    const { visitor, url, verifier, state } = await leave();
    expect(url.origin + url.pathname).toBe(PAGE);
    const { claims: asked } = decodeJwt(url.searchParams.get('session_token'));
    expect(asked).toMatchObject({ question: 'colour', sub: expect.stringMatching(/^auth0\|/) });
    const session_token = await say({ sub: asked.sub, state, colour: 'blue' });
    const response = await visitor.post('/continue', { state, session_token }, { origin: 'https://pages.example.com' });
    const redeemed = await redeem(world, { code: parameterOf(response, 'code'), verifier });
    expect(redeemed.statusCode, redeemed.body).toBe(200);
    expect(decodeJwt(redeemed.json().id_token).claims).toMatchObject({
      before: 1,
      answer: ['blue', 'kept'],
      after: 'blue',
    });
    const user = await created(world.api().get(`/users/${asked.sub}`));
    expect(user.user_metadata).toEqual({ colour: 'blue' });
  });

  it('ends the login where what comes back is not from the page', async () => {
    const { visitor, url, state } = await leave();
    const { sub } = decodeJwt(url.searchParams.get('session_token')).claims;
    const forged = await say({ sub, state: 'of-another-redirect', colour: 'red' });
    const response = await visitor.post('/continue', { state, session_token: forged });
    expect(parameterOf(response, 'error')).toBe('access_denied');
    expect(parameterOf(response, 'code')).toBe('');
  });

  it('ends the login where the action is not there any more, or has nothing to go on with', async () => {
    const left = await leave();
    await setActions(world, 'post-login', [BEFORE]);
    const gone = await left.visitor.get(`/continue?state=${left.state}`);
    expect(parameterOf(gone, 'error')).toBe('access_denied');
    await setActions(world, 'post-login', [action('onExecutePostLogin', `api.redirect.sendUserTo('${PAGE}');`)]);
    const again = await leave();
    const unfinished = await again.visitor.get(`/continue?state=${again.state}`);
    expect(parameterOf(unfinished, 'error')).toBe('access_denied');
  });

  it('can not be where there is no browser', async () => {
    const response = await passwordGrant(world);
    expect([response.statusCode, response.json().error]).toEqual([403, 'interaction_required']);
  });
});
