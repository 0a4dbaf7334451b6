import { expect } from 'vitest';
import { created, createTestClient, passwordGrant, redeem, refresh } from '../../protocol.ts';
import { startWorld } from '../../world.ts';
import { family, fromPhone } from '../family.ts';
import { ada, backend, details, directory, failed, spa } from '../record.ts';

const API = 'https://api.example.com/';
const TYPE = 'urn:acme:legacy-session';

async function start() {
  const world = fromPhone(await startWorld());
  const login = await world.visitor().logIn({ parameters: { audience: API } });
  const scope = 'openid offline_access';
  const tokens = async () => (await passwordGrant(world, { scope, audience: API })).json();
  const machine = (changes: Readonly<Record<string, string>> = {}) =>
    world.token({ grant_type: 'client_credentials', ...world.password_client, audience: API, ...changes });
  const action = await created(
    world.api().post('/actions/actions', { name: 'Draft', supported_triggers: [{ id: 'custom-token-exchange' }] }),
  );
  await created(
    world.api().post('/token-exchange-profiles', {
      name: 'Legacy',
      subject_token_type: TYPE,
      action_id: action.id,
      type: 'custom_authentication',
    }),
  );
  const exchanging = await createTestClient(world, {
    name: 'Exchanges',
    token_exchange: { allow_any_profile_of_type: ['custom_authentication'] },
  });
  return { world, login, tokens, machine, exchanging };
}

const AUDIENCE = { audience: API };
const MASKED_CODE = expect.stringMatching(/^\*{6}…\S{3}$/);
const REFUSED = 'Unknown or invalid refresh token.';

export const exchanges = family('exchanges', start, {
  seacft: {
    cause: ({ world, login }) => redeem(world, login),
    has: ({ world }) => ({
      ...spa(world),
      ...ada(world),
      ...AUDIENCE,
      scope: 'openid profile email offline_access',
      ...details({ code: MASKED_CODE, session_id: expect.any(String) }),
    }),
  },
  // Of the code that was redeemed before.
  feacft: {
    cause: ({ world, login }) => redeem(world, login),
    has: ({ world }) => ({
      ...spa(world),
      ...ada(world),
      description: 'Invalid authorization code',
      ...details({ code: MASKED_CODE, error: { message: expect.stringContaining('redeemed before') } }),
    }),
  },
  seccft: {
    cause: ({ machine }) => machine(),
    has: ({ world }) => ({ ...backend(world), ...AUDIENCE, scope: 'read:items write:items' }),
  },
  feccft: {
    cause: ({ machine }) => machine({ client_secret: 'wrong-secret' }),
    has: ({ world }) => ({
      ...backend(world),
      ...AUDIENCE,
      description: 'Unauthorized',
      ...failed('Unauthorized', 'access_denied'),
    }),
  },
  sepft: {
    cause: ({ world }) => passwordGrant(world, AUDIENCE),
    has: ({ world }) => ({
      ...backend(world),
      ...directory(world),
      ...ada(world),
      ...AUDIENCE,
      scope: 'read:items write:items',
    }),
  },
  fepft: {
    cause: ({ world }) => passwordGrant(world, { ...AUDIENCE, password: 'wrong' }),
    has: ({ world }) => ({
      ...backend(world),
      ...AUDIENCE,
      user_name: world.user.email,
      description: 'Wrong email or password.',
      ...failed('Wrong email or password.', 'invalid_grant'),
    }),
  },
  sertft: {
    cause: async ({ world, tokens }) => refresh(world, (await tokens()).refresh_token),
    has: ({ world }) => ({
      ...backend(world),
      ...ada(world),
      ...AUDIENCE,
      scope: 'openid offline_access',
      ...details({ token_id: expect.stringMatching(/^rt_/) }),
    }),
  },
  fertft: {
    cause: ({ world }) => refresh(world, 'x'.repeat(40)),
    has: ({ world }) => ({ ...backend(world), description: REFUSED, ...failed(REFUSED, 'invalid_grant') }),
  },
  ferrt: {
    async cause({ world, tokens }) {
      const { refresh_token } = await tokens();
      await refresh(world, refresh_token);
      world.advance(60_000);
      return refresh(world, refresh_token);
    },
    has: ({ world }) => ({
      ...backend(world),
      ...ada(world),
      description: 'Unsuccessful Refresh Token exchange, reused refresh token detected',
      ...details({ token_id: expect.stringMatching(/^rt_/), family_id: expect.any(String) }),
    }),
  },
  srrt: {
    async cause({ world, tokens }) {
      const { refresh_token: token } = await tokens();
      return world.request({ path: '/oauth/revoke', json: { ...world.password_client, token } });
    },
    has: ({ world }) => ({
      ...backend(world),
      ...ada(world),
      ...details({ token_id: expect.stringMatching(/^rt_/) }),
    }),
  },
  fpar: {
    cause: ({ world }) =>
      world.request({ path: '/oauth/par', form: { ...world.password_client, redirect_uri: 'https://evil.example/' } }),
    has: ({ world }) => ({
      ...backend(world),
      description: expect.stringContaining('are switched off'),
      ...failed(expect.stringContaining('are switched off'), 'access_denied'),
    }),
  },
  fecte: {
    cause: ({ world, exchanging }) =>
      world.token({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        ...exchanging,
        ...AUDIENCE,
        subject_token: 'a-session',
        subject_token_type: TYPE,
      }),
    has: ({ exchanging }) => ({
      client_id: exchanging.client_id,
      client_name: 'Exchanges',
      ...AUDIENCE,
      description: expect.stringContaining('could not be run'),
      ...failed(expect.stringContaining('could not be run'), 'invalid_request'),
    }),
  },
  depnote: {
    cause: ({ world }) =>
      world.request({
        path: '/oauth/ro',
        form: { client_id: world.password_client.client_id, username: 'x', password: 'x' },
      }),
    has: ({ world }) => ({ ...backend(world), description: 'The endpoint /oauth/ro is switched off.' }),
  },
});
