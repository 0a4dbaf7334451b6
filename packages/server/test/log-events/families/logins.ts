import { expect } from 'vitest';
import { createTestClient } from '../../protocol.ts';
import { CALLBACK, type Visitor } from '../../visitor.ts';
import { startWorld } from '../../world.ts';
import { family, fromPhone } from '../family.ts';
import { ada, backend, details, directory, failed, spa } from '../record.ts';

const OWN = 'http://localhost:5555';
const FOREIGN = 'https://evil.example';
const SCOPE = { scope: 'openid profile email offline_access' };
const TIMES = {
  initiatedAt: expect.any(Number),
  completedAt: expect.any(Number),
  elapsedTime: expect.any(Number),
};
const WRONG = { description: 'Wrong email or password.', ...failed('Wrong email or password.') };

async function start() {
  const world = fromPhone(await startWorld());
  const embedded = await createTestClient(world, {
    name: 'With a form of its own',
    app_type: 'spa',
    token_endpoint_auth_method: 'none',
    callbacks: [CALLBACK],
    web_origins: [OWN],
    cross_origin_authentication: true,
    oidc_conformant: true,
  });
  return { world, embedded, visitor: world.visitor() };
}

export const logins = family('logins', start, {
  s: {
    cause: ({ visitor }) => visitor.logIn(),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      ...ada(world),
      ...SCOPE,
      ...details({
        prompts: [
          expect.objectContaining({
            name: 'prompt-authenticate',
            flow: 'universal-login',
            connection: world.connection,
            connection_id: expect.stringMatching(/^con_/),
            strategy: 'auth0',
            ...ada(world),
            ...TIMES,
          }),
        ],
        ...TIMES,
        session_id: expect.any(String),
        stats: { loginsCount: 1 },
      }),
    }),
  },
  ssa: {
    cause: ({ visitor }) => visitor.authorize({ prompt: 'none' }),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      ...ada(world),
      ...SCOPE,
      session_connection: world.connection,
      session_connection_id: expect.stringMatching(/^con_/),
      ...details({ session_id: expect.any(String) }),
    }),
  },
  fsa: {
    cause: ({ world }) => world.visitor().authorize({ prompt: 'none' }),
    has: ({ world }) => ({
      ...spa(world),
      description: 'Login required',
      ...details({
        qs: expect.objectContaining({ client_id: world.spa_client.client_id, prompt: 'none' }),
        error: { message: 'Login required', oauthError: 'login_required', type: 'request-error' },
      }),
    }),
  },
  f: {
    cause: ({ world }) => world.visitor().authorize({ redirect_uri: FOREIGN }),
    has: ({ world }) => ({
      ...spa(world),
      description: expect.stringContaining('Callback URL mismatch'),
      ...details({
        qs: expect.objectContaining({ redirect_uri: FOREIGN, response_type: 'code', ...SCOPE }),
        error: {
          message: expect.stringContaining(FOREIGN),
          oauthError: 'callback-mismatch',
          type: 'callback-url-mismatch',
        },
      }),
    }),
  },
  fp: {
    cause: ({ world }) => fail(world.visitor(), world.user.email),
    has: ({ world }) => ({ ...spa(world), ...directory(world), ...ada(world), ...SCOPE, ...WRONG }),
  },
  fu: {
    cause: ({ world }) => fail(world.visitor(), 'nobody@example.org'),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      user_name: 'nobody@example.org',
      ...SCOPE,
      ...WRONG,
    }),
  },
  ss: {
    cause: ({ world }) => signUp(world.visitor(), 'new@example.org'),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      user_id: expect.stringMatching(/^auth0\|/),
      user_name: 'new@example.org',
      ...SCOPE,
      ...details({ body: expect.objectContaining({ email: 'new@example.org', password: '*****' }) }),
    }),
  },
  fs: {
    cause: ({ world }) => signUp(world.visitor(), world.user.email),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      user_name: world.user.email,
      ...SCOPE,
      description: 'The user already exists.',
      ...details({ body: expect.objectContaining({ email: world.user.email, password: '*****' }) }),
    }),
  },
  fco: {
    cause: ({ world }) =>
      world.request({
        path: '/oauth/token',
        form: { grant_type: 'client_credentials', ...world.password_client },
        headers: { origin: FOREIGN },
      }),
    has: ({ world }) => ({
      ...backend(world),
      description: `The origin ${FOREIGN} is not registered for the client.`,
    }),
  },
  scoa: {
    cause: (stage) => authenticate(stage, OWN),
    has: ({ world, embedded }) => ({
      client_id: embedded.client_id,
      client_name: 'With a form of its own',
      ...directory(world),
      ...ada(world),
    }),
  },
  fcoa: {
    cause: (stage) => authenticate(stage, FOREIGN),
    has: ({ world, embedded }) => ({
      client_id: embedded.client_id,
      client_name: 'With a form of its own',
      user_name: world.user.email,
      description: `Origin ${FOREIGN} is not allowed.`,
      ...failed(`Origin ${FOREIGN} is not allowed.`, 'access_denied'),
    }),
  },
});

async function fail(visitor: Visitor, username: string) {
  const { response } = await visitor.authorize();
  return visitor.submit(response, { username, password: 'Wr0ng-and-found-nowhere' });
}

async function signUp(visitor: Visitor, email: string) {
  const { response } = await visitor.authorize({ screen_hint: 'signup' });
  return visitor.submit(response, { email, password: 'A-quite-new-horse-9' });
}

function authenticate({ world, embedded }: Awaited<ReturnType<typeof start>>, origin: string) {
  return world.request({
    path: '/co/authenticate',
    json: {
      client_id: embedded.client_id,
      credential_type: 'http://auth0.com/oauth/grant-type/password-realm',
      username: world.user.email,
      password: world.user.password,
      realm: world.connection,
    },
    headers: { origin },
  });
}
