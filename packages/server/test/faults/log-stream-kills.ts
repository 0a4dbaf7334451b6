import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { startReceiver } from '../log-streams/receiver.ts';
import { unitsOf } from '../log-streams/stream-world.ts';
import { startServerProcess } from '../server-process.ts';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 6);
/** Sends that may be open at once, and events that may be acknowledged and not yet written down. */
const WINDOW = 50 + 50;

it(`a server that is killed ${ROUNDS} times while it delivers loses no event, and repeats what was under way at most`, async () => {
  const server = await startServerProcess();
  const receiver = await startReceiver();
  const { client_id, client_secret, audience } = server.firstRun.management;
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret, audience });
  const token = async (): Promise<string> => {
    const response = await fetch(`${server.httpOrigin}/oauth/token`, { method: 'POST', body: form });
    return Object(await response.json()).access_token;
  };
  const api = async (path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
    const request = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
    return Object(await (await fetch(`${server.httpOrigin}/api/v2${path}`, request)).json());
  };
  const sink = { httpEndpoint: `${receiver.origin}/`, httpContentFormat: 'JSONOBJECT' };
  const { id } = await api('/log-streams', { name: 'Killed', type: 'http', sink });
  receiver.behave(() => sleep(2, { status: 200 }));

  for (let round = 0; round < ROUNDS; round++) {
    let isKilled = false;
    const traffic = Array.from({ length: 10 }, async () => {
      while (!isKilled) await token().catch(() => sleep(20));
    });
    const before = receiver.requests.length;
    await vi.waitFor(() => expect(receiver.requests.length).toBeGreaterThan(before + 100), { timeout: 60_000 });
    await sleep(Math.random() * 500);
    await server.kill9();
    isKilled = true;
    await Promise.all(traffic);
    await server.restart();
  }

  const written = new Set<string>();
  for (let from = '', page: { log_id: string; type: string }[] = []; ; ) {
    page = await api(`/logs?take=100${from && `&from=${from}`}`);
    for (const { log_id } of page) written.add(log_id);
    const last = page.at(-1)?.log_id;
    if (last === undefined || page.length < 100) break;
    from = last;
  }
  const received = () => receiver.requests.flatMap(unitsOf).map(({ log_id }) => log_id);
  const first = received()[0] ?? '';
  const due = [...written].filter((logId) => logId >= first);
  const missing = () => {
    const have = new Set(received());
    return due.filter((logId) => !have.has(logId));
  };
  await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 60_000, interval: 1_000 });
  const all = received();
  const repeated = all.length - new Set(all).size;
  console.info(`${ROUNDS} kills, ${all.length} deliveries, ${repeated} of them twice, none lost; stream ${id}`);
  expect(repeated).toBeLessThanOrEqual(ROUNDS * WINDOW);
  await receiver.close();
  await server.stop();
});
