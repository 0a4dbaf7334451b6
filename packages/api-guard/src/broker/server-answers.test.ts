import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../caches/memory-cache.ts';
import { type BrokerEvent, createSessionBroker, type SessionBrokerOptions } from './session-broker.ts';

describe('a login', () => {
  it.each([
    [403, { error: 'mfa_required', mfa_token: 'mfa-secret' }, 'mfa_required', 403],
    [429, { error: 'too_many_attempts' }, 'too_many_attempts', 429],
    [401, { error: 'unauthorized', error_description: 'Verify your e-mail first.' }, 'refused', 403],
    [401, { error: 'access_denied', error_description: 'Unauthorized' }, 'configuration', 500],
    [401, { error: 'invalid_client' }, 'configuration', 500],
    [503, {}, 'away', 503],
    [200, {}, 'away', 503],
    [200, { access_token: 'at', expires_in: 60 }, 'configuration', 500],
  ])('that the server answers with %i %j is the error %s', async (status, body, code, own) => {
    const events: BrokerEvent[] = [];
    const answering = broker({ fetch: answer(status, body), onEvent: (event) => events.push(event) });
    const error = await answering.login('ada', 'hush-hush').catch((cause: Error) => cause);
    expect(error).toMatchObject({ code, status: own });
    expect(String(error)).not.toMatch(/hush-hush|mfa-secret|client-secret|acme-dev/);
    const told = { away: 'server_away', configuration: 'configuration' }[code];
    expect(events.map(({ type }) => type)).toEqual(told ? [told] : []);
  });
});

describe('a server that does not answer', () => {
  it('is named to the operator, and not to users', async () => {
    const told: BrokerEvent[] = [];
    const asking = broker({ fetch: answer(503, {}), onEvent: (event) => told.push(event) });
    const error = await asking.login('ada', 'hush-hush').catch((cause: Error) => cause);
    expect(String(error)).not.toContain('acme-dev.example');
    expect(told).toEqual([{ type: 'server_away', message: 'https://acme-dev.example/oauth/token answered 503.' }]);
  });
});

describe('a server that gives the same access token twice within a second', () => {
  it('leaves the session where it is, with its new refresh token', async () => {
    const sent: (string | null)[] = [];
    const repeating = broker({
      fetch: async (_url, init) => {
        sent.push(new URLSearchParams(String(init?.body)).get('refresh_token'));
        return Response.json({ access_token: 'same', refresh_token: `refresh-${sent.length}`, expires_in: 900 });
      },
    });
    const { accessToken } = await repeating.login('ada', 'hush-hush');
    for (let time = 0; time < 3; time++)
      expect(await repeating.refresh(accessToken)).toEqual({ accessToken, expiresAt: expect.any(Number) });
    expect(sent).toEqual([null, 'refresh-1', 'refresh-2', 'refresh-3']);
    expect(await repeating.logout(accessToken)).toMatchObject({ ended: true });
  });
});

describe('the options', () => {
  it.each([
    ['secret', { secret: 'short' }],
    ['issuer', { issuer: '' }],
    ['deadlineMs', { deadlineMs: 0 }],
    ['sessionSeconds', { sessionSeconds: 31 * 24 * 3600 }],
  ])('name %s where it is wrong', (name, wrong) => {
    expect(() => broker(wrong)).toThrow(name);
  });
});

function broker(changes: Partial<SessionBrokerOptions>) {
  return createSessionBroker({
    issuer: 'https://acme-dev.example/',
    audience: 'https://venues',
    clientId: 'backend',
    clientSecret: 'client-secret',
    secret: 's'.repeat(32),
    cache: createMemoryCache(),
    tokenEndpoint: 'https://acme-dev.example/oauth/token',
    ...changes,
  });
}

function answer(status: number, body: object): typeof fetch {
  return async () => Response.json(body, { status });
}
