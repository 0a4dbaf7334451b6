import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { created, createTestUser, eventTypesOf } from '../../../server/test/protocol.ts';
import { startListeningWorld } from '../../test/listening-world.ts';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { CacheAwayError, type TokenCache } from '../caches/token-cache.ts';
import { createChangeEntry } from '../entries/change-entry.ts';
import { createSealedEntries } from '../entries/seal-entry.ts';
import { type BrokerEvent, createSessionBroker, type SessionBrokerOptions } from './session-broker.ts';

const AUDIENCE = 'https://venues.example/';
const SECRET = 's'.repeat(32);
const REFRESHED = 'sertft';
const REVOKED = 'srrt';

let server: Awaited<ReturnType<typeof startListeningWorld>>;
let user: Awaited<ReturnType<typeof createTestUser>>;
let cache: TokenCache;
let events: BrokerEvent[];
/** Refresh tokens that the server gave, as a proxy would see them. */
const refreshTokens = new Set<string>();

beforeAll(async () => {
  server = await startListeningWorld();
  const api = { identifier: AUDIENCE, name: 'Venues', scopes: [{ value: 'read:venues' }], allow_offline_access: true };
  await created(server.world.api().post('/resource-servers', api));
});
afterAll(() => server?.stop());
let serial = 0;
beforeEach(async () => {
  user = await createTestUser(server.world, `session-${++serial}`);
  cache = createMemoryCache({ now: server.now });
  events = [];
});

describe('a login', () => {
  it('gives an access token and its user, and keeps the refresh token', async () => {
    const session = await broker().login(user.email, user.password);
    expect(session).toEqual({
      accessToken: expect.any(String),
      expiresAt: expect.any(Number),
      user: expect.objectContaining({ sub: user.id, email: user.email }),
    });
    expect(session.expiresAt).toBeGreaterThan(server.now() / 1000);
  });

  it('goes to the directory that is named', async () => {
    const { connection } = server.world.main;
    expect(await broker().login(user.email, user.password, { realm: connection })).toHaveProperty('accessToken');
    await expect(broker().login(user.email, user.password, { realm: 'no-such-directory' })).rejects.toMatchObject({
      code: 'configuration',
    });
  });

  it('tells a wrong password from a user who is blocked', async () => {
    await expect(broker().login(user.email, 'wrong')).rejects.toMatchObject({ code: 'wrong_credentials', status: 401 });
    await server.world.api().patch(`/users/${user.id}`, { blocked: true });
    await expect(broker().login(user.email, user.password)).rejects.toMatchObject({ code: 'blocked', status: 403 });
  });

  it('that the cache can’t keep fails, and leaves no session at the server', async () => {
    const away = { ...cache, get: () => Promise.reject(new CacheAwayError('away')) };
    const types = await eventTypesOf(server.world, async () => {
      await expect(broker({ cache: away }).login(user.email, user.password)).rejects.toMatchObject({ code: 'away' });
      await expect.poll(revocations).toContain(REVOKED);
    });
    expect(types).toContain(REVOKED);
  });
});

describe('a refresh', () => {
  it('is one rotation for twenty at once in two processes’ brokers, and all get the same token', async () => {
    const { accessToken } = await logIn();
    const brokers = [broker(), broker()];
    const types = await eventTypesOf(server.world, async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => brokers[index % 2]?.refresh(accessToken)),
      );
      expect(new Set(results.map((result) => result?.accessToken)).size).toBe(1);
      expect(results[0]?.accessToken).not.toBe(accessToken);
    });
    expect(types.filter((type) => type === REFRESHED)).toHaveLength(1);
  });

  it('follows a refresh, five times', async () => {
    let { accessToken } = await logIn();
    const seen = new Set([accessToken]);
    for (let time = 0; time < 5; time++) {
      ({ accessToken } = await broker().refresh(accessToken));
      seen.add(accessToken);
      server.world.advance(60_000);
    }
    expect(seen.size).toBe(6);
    const response = await fetch(`${server.origin}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(response.status).toBe(200);
  });

  it('by the old access token gives the same one for thirty seconds, and nothing afterwards', async () => {
    const { accessToken } = await logIn();
    const first = await broker().refresh(accessToken);
    server.world.advance(29_000);
    expect(await broker().refresh(accessToken)).toEqual(first);
    server.world.advance(1_000);
    await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
    expect(await broker().refresh(first.accessToken)).toHaveProperty('accessToken');
  });

  it('leaves what the guard wrote into the entry where it is', async () => {
    const { accessToken } = await logIn();
    const change = createChangeEntry({ cache, entries: entries(), now: server.now });
    const verdict = { active: false, reason: 'a test', checkedAt: Math.floor(server.now() / 1000) } as const;
    await change(accessToken, (entry) => ({ ...entry, verdict }));
    await broker().refresh(accessToken);
    expect(await change(accessToken, () => undefined)).toMatchObject({ verdict, session: { next: {} } });
  });

  it('is refused, and nobody asked, for tokens of no session', async () => {
    const { accessToken } = await logIn();
    const change = createChangeEntry({ cache, entries: entries(), now: server.now });
    const verdict = { active: false, reason: 'a test', checkedAt: Math.floor(server.now() / 1000) } as const;
    await change('known-to-the-guard-alone', (entry) => ({ ...entry, verdict }));
    // Somebody who can write to the cache, but has no secret.
    const sealed = createSealedEntries({ issuer: server.issuer, audience: AUDIENCE, secret: 'x'.repeat(32) });
    const session = { endsAt: server.now(), refreshToken: 'of-somebody-else' };
    await cache.set(entries().keyOf('poisoned'), sealed.seal('poisoned', { session }), 60);
    let asked = 0;
    const counting = broker({
      fetch: (...request) => {
        asked++;
        return fetch(...request);
      },
    });
    const cases = [`${accessToken}x`, 'known-to-the-guard-alone', 'poisoned', 'a b', '', 'a'.repeat(20_000)];
    for (const token of cases)
      await expect(counting.refresh(token), token.slice(0, 30)).rejects.toMatchObject({ code: 'unknown_session' });
    const elsewhere = broker({ audience: 'https://orders.example/' });
    await expect(elsewhere.refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
    expect(asked).toBe(0);
  });

  it('of a user who was blocked ends the session', async () => {
    const { accessToken } = await logIn();
    await server.world.api().patch(`/users/${user.id}`, { blocked: true });
    await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'session_ended', status: 401 });
    await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
  });

  it('fails with away while the server is, and the session goes on', async () => {
    const { accessToken } = await logIn();
    await server.away(() => expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'away', status: 503 }));
    expect(await broker().refresh(accessToken)).toHaveProperty('accessToken');
    expect(events).toContainEqual(expect.objectContaining({ type: 'server_away' }));
  });
});

describe('a logout', () => {
  it('ends the session here and at the server, for the old access token and the new one, once', async () => {
    const { accessToken } = await logIn();
    const { accessToken: next } = await broker().refresh(accessToken);
    const types = await eventTypesOf(server.world, async () => {
      expect(await broker().logout(accessToken)).toEqual({ ended: true, revoked: true });
    });
    expect(types).toEqual([REVOKED]);
    for (const token of [accessToken, next])
      await expect(broker().refresh(token)).rejects.toMatchObject({ code: 'unknown_session' });
    expect(await broker().logout(next)).toEqual({ ended: false, revoked: true });
    expect(await broker().logout('never-seen')).toEqual({ ended: false, revoked: true });
  });

  it('by an old access token ends the session, however often somebody refreshed meanwhile', async () => {
    const { accessToken: first } = await logIn();
    let last = first;
    for (let time = 0; time < 25; time++) ({ accessToken: last } = await broker().refresh(last));
    expect(await broker().logout(first)).toEqual({ ended: true, revoked: true });
    await expect(broker().refresh(last)).rejects.toMatchObject({ code: 'unknown_session' });
  });

  it('by an old access token ends what a thief made of it, for as long as that token lives', async () => {
    const { accessToken, expiresAt } = await logIn();
    const { accessToken: stolen } = await broker().refresh(accessToken);
    server.world.advance(expiresAt * 1_000 - server.now() - 2_000);
    await expect(broker().refresh(accessToken)).rejects.toMatchObject({ code: 'unknown_session' });
    expect(await broker().logout(accessToken)).toEqual({ ended: true, revoked: true });
    await expect(broker().refresh(stolen)).rejects.toMatchObject({ code: 'unknown_session' });
  });

  it('during a refresh wins: nobody gets the new token, and the server ends it', async () => {
    const { accessToken } = await logIn();
    let rotated = () => {};
    let goOn = () => {};
    const isRotated = new Promise<void>((resolve) => {
      rotated = resolve;
    });
    const mayGoOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = broker({
      fetch: async (url, init) => {
        const response = await recording(url, init);
        if (!String(init?.body).includes('grant_type=refresh_token')) return response;
        rotated();
        await mayGoOn;
        return response;
      },
    });
    const refreshing = slow.refresh(accessToken).catch((error: unknown) => error);
    await isRotated;
    expect(await broker().logout(accessToken)).toMatchObject({ ended: true });
    goOn();
    expect(await refreshing).toMatchObject({ code: 'unknown_session' });
    const last = [...refreshTokens].at(-1) ?? '';
    const response = await server.world.token({
      grant_type: 'refresh_token',
      ...server.world.password_client,
      refresh_token: last,
    });
    expect(response.statusCode).toBe(403);
  });
});

describe('a refresh token', () => {
  it('is in nothing that the broker returns, throws or tells', async () => {
    const told: unknown[] = [];
    const note = async (work: Promise<unknown>) => {
      told.push(await work.catch((error: Error) => [error, error.message, error.stack, JSON.stringify(error)]));
    };
    const { accessToken } = await logIn();
    await note(broker().refresh(accessToken));
    const { accessToken: other } = await logIn();
    await server.away(async () => {
      await note(broker().refresh(other));
      await note(broker({ revocationDelaysMs: [] }).logout(other));
    });
    // A server that repeats what was sent.
    const { accessToken: third } = await logIn();
    const echoing: typeof fetch = async (_url, init) =>
      Response.json({ error: 'invalid_grant', error_description: String(init?.body) }, { status: 403 });
    await note(broker({ fetch: echoing }).refresh(third));
    expect(refreshTokens.size).toBeGreaterThan(3);
    const words = JSON.stringify([told, events]);
    for (const token of refreshTokens) expect(words).not.toContain(token);
  });
});

function broker(changes: Partial<SessionBrokerOptions> = {}) {
  const { client_id, client_secret } = server.world.password_client;
  return createSessionBroker({
    issuer: server.issuer,
    audience: AUDIENCE,
    clientId: client_id,
    clientSecret: client_secret,
    secret: SECRET,
    cache,
    now: server.now,
    onEvent: (event) => events.push(event),
    fetch: recording,
    tokenEndpoint: `${server.origin}/oauth/token`,
    revocationEndpoint: `${server.origin}/oauth/revoke`,
    ...changes,
  });
}

async function recording(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(url, init);
  const body: Readonly<Record<string, unknown>> = await (
    response.clone().json() as Promise<Record<string, unknown>>
  ).catch(() => ({}));
  if (typeof body.refresh_token === 'string') refreshTokens.add(body.refresh_token);
  return response;
}

const logIn = () => broker().login(user.email, user.password);
const entries = () => createSealedEntries({ issuer: server.issuer, audience: AUDIENCE, secret: SECRET });

async function revocations(): Promise<string[]> {
  const records: { type: string; user_id?: string }[] = (
    await server.world.api('read:logs').get('/logs?per_page=20')
  ).json();
  return records.filter(({ user_id }) => user_id === user.id).map(({ type }) => type);
}
