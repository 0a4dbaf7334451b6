import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../kit/log.ts';
import { createCallerRates } from './caller-rates.ts';
import { readServiceSettings } from './service-settings.ts';
import { startTokenService, type TokenService } from './token-service.ts';

const SECRETS = { venues: 'v'.repeat(40), orders: 'o'.repeat(40) };
const AUDIENCE = 'https://venues.example/';
const CALLERS = { venues: SECRETS.venues, orders: { secret: SECRETS.orders, audiences: [AUDIENCE] } };

/** An authorization server that answers when the test says so. */
let slow: Server;
let issuer: string;
let held: (() => void)[];
let isSlow: boolean;
let service: TokenService | undefined;

beforeEach(async () => {
  held = [];
  isSlow = true;
  slow = createServer(async (request, response) => {
    if (request.url?.startsWith('/.well-known/')) {
      send(response, 200, { issuer, introspection_endpoint: `${issuer}introspect` });
      return;
    }
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    const reply = () => answer(response, form.get('token') ?? '');
    if (isSlow) held.push(reply);
    else reply();
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  issuer = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  await service?.stop(100);
  slow.closeAllConnections();
  slow.close();
});

describe('the token service before a server that is slow', () => {
  it('answers 503 at its deadline, and the server is asked anew', async () => {
    const { verify } = await start({ deadlineMilliseconds: 100 });
    expect(await verify('at')).toMatchObject({ status: 503 });
    isSlow = false;
    // On a busy machine an answer that comes at once may be too late as well.
    await expect.poll(() => verify('at'), { timeout: 60_000 }).toMatchObject({ status: 200, body: { active: true } });
  });

  it('asks so many questions at once, lets so many wait, and refuses the rest at once with 503', async () => {
    const { verify } = await start({ settings: { TOKEN_SERVICE_CONCURRENCY: '2' } });
    let settled = 0;
    const questions = Array.from({ length: 60 }, (_, index) =>
      verify(`at-${index}`).finally(() => {
        settled++;
      }),
    );
    // Two under way, forty waiting.
    await expect.poll(() => settled).toBe(18);
    expect(await Promise.race(questions)).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
    for (let answered = 0; answered < 42; answered++) {
      await asked(answered + 1);
      expect(held.length - answered).toBeLessThanOrEqual(2);
      held[answered]?.();
    }
    const statuses = (await Promise.all(questions)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(42);
    expect(statuses.filter((status) => status === 503)).toHaveLength(18);
  });

  it('lets callers take turns: a storm of one delays the other by one question', async () => {
    const { verify } = await start({ settings: { TOKEN_SERVICE_CONCURRENCY: '1' } });
    const storm = Array.from({ length: 15 }, (_, index) => verify(`storm-${index}`));
    await expect.poll(() => gauge('upstream_waiting')).toBe(14);
    const other = verify('other', SECRETS.orders);
    await expect.poll(() => gauge('upstream_waiting')).toBe(15);
    // The one under way, and at most one that began its turn before.
    for (let answered = 0; answered < 3; answered++) {
      await asked(answered + 1);
      held[answered]?.();
    }
    expect(await other).toMatchObject({ status: 200 });
    for (let answered = 3; answered < 16; answered++) {
      await asked(answered + 1);
      held[answered]?.();
    }
    expect(await Promise.all(storm)).toHaveLength(15);
  });

  it('asks once where a thousand ask about one token', async () => {
    const { verify } = await start();
    const questions = Array.from({ length: 1_000 }, () => verify('at'));
    await expect.poll(() => gauge('questions_under_way')).toBe(1_000);
    held[0]?.();
    const answers = await Promise.all(questions);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(held).toHaveLength(1);
  });

  it('finishes what is under way when it stops, and takes nothing new', async () => {
    const { verify, origin } = await start();
    const question = verify('at');
    await asked(1);
    const stopped = service?.stop();
    service = undefined;
    held[0]?.();
    expect(await question).toMatchObject({ status: 200, body: { active: true } });
    await stopped;
    await expect(fetch(`${origin}/health/live`)).rejects.toThrow('fetch failed');
  });

  it.each([
    ['429', (response: ServerResponse) => send(response.setHeader('retry-after', '7'), 429, {}), '7'],
    ['500', (response: ServerResponse) => send(response, 500, {}), '2'],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      '2',
    ],
    ['something that is no JSON', (response: ServerResponse) => response.end('<html>'), '2'],
    ['JSON without a verdict', (response: ServerResponse) => send(response, 200, { active: 'yes' }), '2'],
    ['nothing', (response: ServerResponse) => response.destroy(), '2'],
  ])('answers 503 where the server answers with %s', async (_what, respond, retryAfter) => {
    answer = respond;
    const { verify } = await start();
    const question = verify('at');
    await asked(1);
    held[0]?.();
    expect(await question).toMatchObject({ status: 503, retryAfter });
  });

  it.each([
    ['a refresh token, which has no type', { token_type: undefined }, 'unknown'],
    ['a token that is bound to a key', { cnf: { jkt: 'thumbprint' } }, 'bound'],
    ['a token of another issuer', { iss: 'https://elsewhere.example/' }, 'issuer'],
    ['a token that names no API', { aud: undefined }, 'audience'],
    ['a token of nobody', { sub: undefined }, 'unknown'],
    ['a token that ended while the answer was on its way', { exp: 1 }, 'expired'],
    ['a token that ended before time began', { exp: -1 }, 'expired'],
    ['a token whose end is a text', { exp: '1900000000' }, 'unknown'],
  ])('refuses %s, though the server calls it active', async (_what, claims, reason) => {
    answer = (response) => send(response, 200, { ...GOOD, ...claims });
    const { verify } = await start();
    const question = verify('at');
    await asked(1);
    held[0]?.();
    expect(await question).toMatchObject({ status: 200, body: { active: false, reason } });
  });
});

describe('an answer that can be read in two ways', () => {
  it.each([
    ['an end that no clock reaches', { exp: 'here' }, '1e400', { active: false, reason: 'unknown' }],
    ['permissions that are no list, beside a scope', { permissions: 'here' }, '"admin"', { permissions: [] }],
    ['permissions that are null, beside a scope', { permissions: 'here' }, 'null', { permissions: [] }],
  ])('grants nothing: %s', async (_what, claims, text, body) => {
    answer = (response) => {
      const words = JSON.stringify({ ...GOOD, scope: 'admin', ...claims }).replace('"here"', text);
      response.writeHead(200, { 'content-type': 'application/json' }).end(words);
    };
    const { verify } = await start();
    const question = verify('at');
    await asked(1);
    held[0]?.();
    expect(await question).toMatchObject({ status: 200, body });
  });
});

describe('the rate of a caller', () => {
  it('is so many questions a second, and another caller’s is its own', () => {
    let time = 0;
    const take = createCallerRates({ rate: 2, now: () => time });
    const [venues, orders] = [{ name: 'venues' }, { name: 'orders' }].map((caller) => ({
      ...caller,
      secret: '',
      audiences: [],
    }));
    if (!venues || !orders) throw new Error('There are two.');
    expect([take(venues), take(venues), take(venues)]).toEqual([0, 0, 1]);
    expect(take(orders)).toBe(0);
    time = 500;
    expect([take(venues), take(venues)]).toEqual([0, 1]);
  });

  it('is told by 429 and Retry-After', async () => {
    const { verify } = await start({ settings: { TOKEN_SERVICE_RATE: '1' } });
    const question = verify('at');
    await asked(1);
    expect(await verify('at')).toMatchObject({ status: 429, retryAfter: '1' });
    held[0]?.();
    expect(await question).toMatchObject({ status: 200 });
  });
});

const GOOD = { active: true, token_type: 'Bearer', aud: AUDIENCE, sub: 'ada', scope: 'read:venues' };
const answerWell = (response: ServerResponse): unknown => send(response, 200, GOOD);
let answer: (response: ServerResponse, token: string) => unknown = answerWell;
afterEach(() => {
  answer = answerWell;
});

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

interface Started {
  readonly settings?: Readonly<Record<string, string>>;
  readonly deadlineMilliseconds?: number;
}

async function start({ settings = {}, deadlineMilliseconds = 60_000 }: Started = {}) {
  const started = await startTokenService({
    settings: readServiceSettings({
      TOKEN_SERVICE_ISSUER: issuer,
      TOKEN_SERVICE_CLIENT_ID: 'service',
      TOKEN_SERVICE_CLIENT_SECRET: 'secret',
      TOKEN_SERVICE_AUDIENCE: AUDIENCE,
      TOKEN_SERVICE_CALLERS: JSON.stringify(CALLERS),
      TOKEN_SERVICE_PORT: '0',
      ...settings,
    }),
    log: createLog('json', () => {}),
    deadlineMilliseconds,
  });
  service = started;
  async function verify(token: string, secret = SECRETS.venues): Promise<Answered> {
    const response = await fetch(`${started.origin}/token/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ token }),
    });
    const body: unknown = await response.json();
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
  }
  return { origin: started.origin, verify };
}

/** Until the server holds so many questions, counted since the start. */
async function asked(count: number): Promise<void> {
  while (held.length < count) await sleep(5);
}

async function gauge(name: string): Promise<number> {
  const metrics = await (await fetch(`${service?.origin}/metrics`)).text();
  return Number(new RegExp(`^gatewright_token_service_${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
