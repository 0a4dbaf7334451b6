import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { startReceiver } from './receiver.ts';
import { eventually, type StreamWorld, startStreamWorld } from './stream-world.ts';

const CHANCES = [0.11, 0.83, 0.47, 0.95, 0.29, 0.71, 0.05, 0.63];

let streams: StreamWorld;
let chance = 0;
beforeAll(async () => {
  streams = await startStreamWorld({ streamRandom: () => CHANCES[chance++ % CHANCES.length] ?? 0 });
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

describe('a receiver that answers 500 for ten minutes (F4)', () => {
  it('is asked after jittered, growing, bounded pauses, its operator is told once at either end, and all of it arrives', async () => {
    const { world, receiver } = streams;
    receiver.behave({ status: 500 });
    const { id } = await streams.createStream({ format: 'JSONLINES' });
    await streams.happen(30);
    const began = world.now().getTime();
    const pauses: number[] = [];
    for (let failure = 1; world.now().getTime() - began < 600_000; failure++) {
      await eventually(async () => expect((await streams.health(id)).failures).toBe(failure));
      const { next_attempt_at } = await streams.health(id);
      pauses.push(new Date(next_attempt_at).getTime() - world.now().getTime());
      later(pauses.at(-1) ?? 0);
    }
    // Chances are as they come: of a pause's longest, and nothing else.
    for (const [index, pause] of pauses.entries()) {
      const longest = Math.min(300_000, 1_000 * 2 ** index);
      expect(CHANCES.map((part) => Math.round(part * longest))).toContain(Math.round(pause));
    }
    expect(pauses.length).toBeGreaterThan(8);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300_000);

    receiver.behave({ status: 200 });
    later(300_000);
    await streams.happen(10);
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(40));
    await eventually(async () => expect((await streams.health(id)).state).toBe('healthy'));
    // Whoever compares log_ids ends with exactly what is in the log (F8).
    expect([...new Set(streams.ofType('s'))].toSorted()).toEqual((await streams.written()).slice(-40));
    const turns = (await world.events()).filter(({ details }) => Object(details).log_stream?.id === id);
    expect(turns.map(({ details }) => Object(details).state).toReversed()).toEqual(['degraded', 'recovered']);
  });
});

describe('a stream that changes while events flow (F13)', () => {
  it('leaves nothing out and repeats nothing: key rotated, paused, resumed, filters added and taken away', async () => {
    const { receiver } = streams;
    receiver.behave(async () => {
      await sleep(5);
      return { status: 200 };
    });
    const before = (await streams.written()).length;
    const { id } = await streams.createStream();
    const path = `/log-streams/${id}`;
    const change = async (body: object) => expect((await streams.api().patch(path, body)).statusCode).toBe(200);
    const rotate = async () => (await streams.api().post(`${path}/rotate-secret`)).json().signing_secret as string;
    let isDone = false;
    const traffic = (async () => {
      for (let round = 0; !isDone || round < 20; round++) await streams.happen(5);
    })();
    const secrets = [await rotate()];
    await sleep(150);
    secrets.push(await rotate());
    await sleep(150);
    await change({ status: 'paused' });
    await sleep(100);
    await change({ status: 'active' });
    await change({ filters: [{ type: 'category', name: 'auth.login.success' }] });
    await sleep(150);
    await change({ filters: [] });
    isDone = true;
    await traffic;
    const all = (await streams.written()).length - before;
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(all));
    expect(streams.ofType('s')).toHaveLength(all);

    const signed = receiver.requests.filter(({ headers }) => headers['webhook-signature'] !== undefined);
    expect(signed.length).toBeGreaterThan(20);
    for (const request of signed) {
      const signatures = String(request.headers['webhook-signature']).split(' ');
      expect(secrets.map((secret) => signatureOf(secret, request))).toEqual(expect.arrayContaining(signatures));
    }
    expect(String(receiver.requests.at(-1)?.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });
});

describe('an address that is not the tenant’s to reach (F12)', () => {
  it.each([
    'https://127.0.0.1',
    'https://[::ffff:7f00:1]',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433',
    'https://localhost',
  ])('%s is refused, and the stream says so', async (address) => {
    const port = address.includes('169') ? '' : `:${streams.receiver.port}`;
    const tenant = await streams.world.createTenant(`t${Math.random().toString(36).slice(2, 10)}`, {
      environment: 'production',
    });
    const api = streams.world.apiAt(tenant);
    const sink = { httpEndpoint: new URL(address).origin + port };
    const made = await api.post('/log-streams', { name: 'Inside', type: 'http', sink });
    if (made.statusCode === 400) return expect(made.json().message).toContain('httpEndpoint');
    const { id } = made.json();
    await eventually(async () => {
      const { attempts } = (await api.get(`/log-streams/${id}/health`)).json();
      expect(attempts[0]).toMatchObject({ ok: false, problem: expect.stringMatching(/address|reach|private|refus/i) });
      expect(attempts[0].status).toBeUndefined();
    });
    expect(streams.receiver.requests).toEqual([]);
    await api.delete(`/log-streams/${id}`);
  });

  it('is not gone to by a redirect either', async () => {
    const inside = await startReceiver();
    streams.receiver.behave({ status: 307, headers: { location: `${inside.origin}/` } });
    const { id } = await streams.createStream();
    await streams.happen(1);
    await eventually(async () =>
      expect((await streams.health(id)).attempts[0]).toMatchObject({ ok: false, status: 307 }),
    );
    expect(inside.requests).toEqual([]);
    await inside.close();
  });
});

function later(milliseconds: number): void {
  streams.world.advance(milliseconds + 1);
  streams.world.app.streams.wake();
}

function signatureOf(secret: string, { headers, body }: ReceivedRequest): string {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return `v1,${createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(text)
    .digest('base64')}`;
}
