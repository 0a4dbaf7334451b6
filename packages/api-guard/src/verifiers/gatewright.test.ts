import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../server/src/kit/log.ts';
import { readServiceSettings } from '../../../server/src/token-service/service-settings.ts';
import { startTokenService, type TokenService } from '../../../server/src/token-service/token-service.ts';
import {
  created,
  createTestClient,
  createTestUser,
  passwordGrant,
  type TestClient,
} from '../../../server/test/protocol.ts';
import type { WorldTenant } from '../../../server/test/world.ts';
import { forge } from '../../test/forged-tokens.ts';
import { startListeningWorld } from '../../test/listening-world.ts';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { createGuard } from '../guard/create-guard.ts';
import { byIntrospection } from './by-introspection.ts';
import { bySignature } from './by-signature.ts';
import { byTokenService } from './by-token-service.ts';
import { byUserinfo } from './by-userinfo.ts';
import type { VerifyToken } from './verify-token.ts';

const SCOPES = ['openid', 'offline_access', 'read:venues'];
const AUDIENCE = 'https://venues.example/';
const NAMES = ['introspection', 'userinfo', 'signature', 'a token service', 'signature alone'] as const;
const WITH_REVOCATION = NAMES.slice(0, 4);
const CALLER_SECRET = 'v'.repeat(40);
const NEVER = new AbortController().signal;

let server: Awaited<ReturnType<typeof startListeningWorld>>;
let service: TestClient;
let tokenService: TokenService;
let int: WorldTenant;
let user: Awaited<ReturnType<typeof createTestUser>>;
let publicJwk: Record<string, unknown>;
let verifiers: Record<(typeof NAMES)[number], VerifyToken>;
beforeAll(async () => {
  server = await startListeningWorld();
  const { world, issuer, now } = server;
  int = await world.createTenant('acme-int');
  for (const tenant of [world.main, int]) await makeApi(tenant);
  service = await createTestClient(
    world,
    { app_type: 'resource_server', resource_server_identifier: AUDIENCE, grant_types: ['client_credentials'] },
    { mayLogIn: false },
  );
  publicJwk = (await world.request({ path: '/.well-known/jwks.json' })).json().keys[0];
  tokenService = await startTokenService({
    settings: readServiceSettings({
      TOKEN_SERVICE_ISSUER: issuer,
      TOKEN_SERVICE_CLIENT_ID: service.client_id,
      TOKEN_SERVICE_CLIENT_SECRET: service.client_secret,
      TOKEN_SERVICE_AUDIENCE: AUDIENCE,
      TOKEN_SERVICE_CALLERS: JSON.stringify({ venues: CALLER_SECRET }),
      TOKEN_SERVICE_PORT: '0',
    }),
    log: createLog('json', () => {}),
    now,
  });
  const api = { issuer, audience: AUDIENCE };
  const introspection = byIntrospection({ ...api, clientId: service.client_id, clientSecret: service.client_secret });
  verifiers = {
    introspection,
    userinfo: byUserinfo(api),
    signature: bySignature({ ...api, alsoAsk: introspection, now }),
    'a token service': byTokenService({ url: tokenService.origin, callerSecret: CALLER_SECRET }),
    'signature alone': bySignature({ ...api, alsoAsk: 'nobody', now }),
  };
});
afterAll(async () => {
  await tokenService?.stop();
  await server?.stop();
});
let serial = 0;
beforeEach(async () => {
  user = await createTestUser(server.world, `person-${++serial}`);
});

describe.each(NAMES)('by %s', (name) => {
  const verdict = (token: string) => verifiers[name](token, NEVER);
  const isActive = async (token: string) => (await verdict(token)).active;

  it('a token of this API is good for its user, until it expires', async () => {
    const { access_token = '', expires_in = '' } = await logIn();
    const found = await verdict(access_token);
    expect(found).toMatchObject({ active: true, user: { sub: user.id }, permissions: SCOPES });
    expect(found.active && found.expiresAt).toBe(Math.floor(server.now() / 1000) + Number(expires_in));
    expect(found.active && Object.keys(found.user)).not.toContain('exp');
  });

  it('a forged token is refused', async () => {
    const { access_token = '' } = await logIn();
    for (const [what, token] of Object.entries(forge(access_token, publicJwk)))
      expect(await verdict(token), what).toMatchObject({ active: false });
  });

  it('a token of another API, another environment or another kind is refused', async () => {
    const { world, tokens } = server;
    const ours = await logIn();
    const others = {
      'of another API': (await tokens(loginForm({ audience: world.main.api.identifier }))).access_token,
      'of the Management API': await world.managementToken(['read:users']),
      'opaque, for /userinfo': (await tokens(loginForm({ audience: '' }))).access_token,
      'of another environment': (await ofInt()).access_token,
      'an ID token': ours.id_token,
      'a refresh token': ours.refresh_token,
    };
    for (const [what, token] of Object.entries(others)) expect(await isActive(String(token)), what).toBe(false);
  });

  it('a token that expired a second ago is refused', async () => {
    const { access_token = '', expires_in = '' } = await logIn();
    server.world.advance((Number(expires_in) - 1) * 1000);
    expect(await isActive(access_token)).toBe(true);
    server.world.advance(2_000);
    expect(await isActive(access_token)).toBe(false);
  });

  it('while the server is away nobody says that a token is bad', async () => {
    const { access_token = '' } = await logIn();
    // Its keys may still be known, but a new process has none.
    const { issuer, away, now } = server;
    const api = { issuer, audience: AUDIENCE };
    const fresh = name === 'signature alone' ? bySignature({ ...api, alsoAsk: 'nobody', now }) : verifiers[name];
    await away(() => expect(fresh(access_token, NEVER)).rejects.toMatchObject({ code: 'service_away' }));
    expect(await fresh(access_token, NEVER)).toMatchObject({ active: true });
  });
});

describe.each(WITH_REVOCATION)('by %s, behind a guard', (name) => {
  it.each([
    ['their user is blocked', () => server.world.api().patch(`/users/${user.id}`, { blocked: true })],
    ['the refresh token of their login is revoked', (tokens: Tokens) => revoke(tokens.refresh_token ?? '')],
  ])('when %s the token is 401 after maxStale', async (_what, end) => {
    const guard = createGuard({
      issuer: server.issuer,
      audience: AUDIENCE,
      secret: 's'.repeat(32),
      cache: createMemoryCache({ now: server.now }),
      verify: verifiers[name],
      now: server.now,
    });
    const tokens = await logIn();
    const outcome = async () => (await guard.check(`Bearer ${tokens.access_token}`)).outcome;
    expect(await outcome()).toBe('granted');
    await end(tokens);
    expect(await outcome()).toBe('granted');
    server.world.advance(60_000);
    expect(await outcome()).toBe('refused');
  });
});

describe('what a token lets its user do', () => {
  it('are the permissions of their roles where the API asks for them', async () => {
    const identifier = 'https://with-roles.example/';
    const { world, issuer } = server;
    await created(
      world.api().post('/resource-servers', {
        name: 'With roles',
        identifier,
        scopes: [{ value: 'read:venues' }, { value: 'write:venues' }],
        enforce_policies: true,
        token_dialect: 'access_token_authz',
      }),
    );
    const permission = { permission_name: 'write:venues', resource_server_identifier: identifier };
    await world.api().post(`/users/${user.id}/permissions`, { permissions: [permission] });
    const { access_token = '' } = await server.tokens(loginForm({ audience: identifier }));
    const verify = byUserinfo({ issuer, audience: identifier });
    expect(await verify(access_token, NEVER)).toMatchObject({ permissions: ['write:venues'] });
  });
});

describe('by introspection', () => {
  it('a refresh token is no access token, though its own client may introspect it', async () => {
    const { client_id, client_secret } = server.world.password_client;
    const verify = byIntrospection({
      issuer: server.issuer,
      audience: AUDIENCE,
      clientId: client_id,
      clientSecret: client_secret,
    });
    const { access_token = '', refresh_token = '' } = await logIn();
    expect(await verify(access_token, NEVER)).toMatchObject({ active: true });
    expect(await verify(refresh_token, NEVER)).toMatchObject({ active: false });
  });

  it('with a wrong secret nobody is refused: the mistake is the caller itself', async () => {
    const { issuer } = server;
    const verify = byIntrospection({ issuer, audience: AUDIENCE, clientId: service.client_id, clientSecret: 'wrong' });
    await expect(verify('at', NEVER)).rejects.toMatchObject({ code: 'service_away' });
  });
});

type Tokens = Readonly<Record<string, string>>;

function loginForm(changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    grant_type: 'password',
    ...server.world.password_client,
    username: user.email,
    password: user.password,
    scope: SCOPES.join(' '),
    audience: AUDIENCE,
    ...changes,
  };
}

const logIn = (): Promise<Tokens> => server.tokens(loginForm());

async function ofInt(): Promise<Tokens> {
  const asked = { scope: 'openid read:venues', audience: AUDIENCE };
  return (await passwordGrant(server.world, asked, int)).json();
}

async function makeApi(tenant: WorldTenant): Promise<void> {
  const api = { identifier: AUDIENCE, name: 'Venues', scopes: [{ value: 'read:venues' }], allow_offline_access: true };
  await created(server.world.apiAt(tenant).post('/resource-servers', api));
}

function revoke(token: string): Promise<unknown> {
  return server.world.request({ path: '/oauth/revoke', form: { ...server.world.password_client, token } });
}
