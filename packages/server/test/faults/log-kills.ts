import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startReceiver } from '../log-streams/receiver.ts';
import { createStreamAt, idsOf, wholeLog, writtenIn } from '../log-streams/stream-server.ts';
import { call } from '../operations/calls.ts';
import { expectNothingLost, startTraffic } from '../operations/traffic.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { createTestDatabase } from '../test-database.ts';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 10);
const EVENTS = ROUNDS * 2_000;
const LOGINS = ROUNDS * 200;
/** A checkpoint follows 50 events or 100 ms after the one before; on a busy machine it takes its time itself. */
const WINDOW = 300;

async function receiving() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}

describe('kill -9 of the process that delivers, every 1.2 seconds (F1, F8)', () => {
  it(`during ${EVENTS} deliveries loses none, and repeats no more than the window of each kill`, async () => {
    const receiver = await receiving();
    const database = await createTestDatabase({ migrated: false });
    onTestFinished(() => database.drop());
    const env = { DATABASE_URL: database.url, GATEWRIGHT_BOOTSTRAP: '1', HTTPS_PORT: '0' };
    const server = await startServerProcess({ env, database: 'embedded' });
    onTestFinished(() => server.stop());
    await createStreamAt(server.httpOrigin, server.firstRun, receiver);
    for (let written = 0; written < EVENTS; written += 100)
      await database.pool.query(
        `insert into log_events (tenant_id, type, body)
         select 'dev', 's', jsonb_build_object('description', n::text) from generate_series(1, 100) n`,
      );
    const arrived = () => new Set(idsOf(receiver.requests, 's')).size;
    let kills = 0;
    for (;;) {
      await sleep(1_200);
      const before = arrived();
      if (before >= EVENTS || kills >= 60) break;
      await server.kill9();
      kills++;
      // What its successor would wait for: twelve seconds of the database's time.
      await database.pool.query(`update log_stream_deliveries set lease_until = now() - interval '4 seconds'`);
      await server.restart();
      await vi.waitFor(() => expect(arrived()).toBeGreaterThan(before), { timeout: 60_000, interval: 50 });
    }
    await vi.waitFor(() => expect(arrived()).toBe(EVENTS), { timeout: 300_000, interval: 500 });
    const ids = idsOf(receiver.requests, 's');
    const repeated = ids.length - EVENTS;
    console.info(`${kills} kills during ${EVENTS} deliveries: none lost, ${repeated} repeated`);
    // Who compares webhook-ids has exactly what the log has.
    expect([...new Set(ids)].toSorted()).toEqual((await writtenIn(database.pool, 's')).toSorted());
    expect(kills).toBeGreaterThan(0);
    expect(repeated).toBeLessThanOrEqual(kills * WINDOW);
  });
});

describe('kill -9 of the server during logins (F2)', () => {
  it(`each of ${LOGINS} that were answered 200 has exactly one event, and each event reaches the receiver`, async () => {
    const receiver = await receiving();
    const server = await startServerProcess({ env: { HTTPS_PORT: '0' } });
    onTestFinished(() => server.stop());
    await createStreamAt(server.httpOrigin, server.firstRun, receiver, 'JSONLINES');
    const acknowledged: string[] = [];
    const clients = Array.from({ length: 6 }, async (_, client) => {
      for (let number = 0; acknowledged.length < LOGINS; number++) {
        const mark = `login-${client}-${number}`;
        if (await logIn(server, mark)) acknowledged.push(mark);
        else await sleep(50);
      }
    });
    let kills = 0;
    while (acknowledged.length < LOGINS) {
      await sleep(2_000 + Math.random() * 1_000);
      await server.kill9();
      await server.restart();
      kills++;
    }
    await Promise.all(clients);
    const events = (await wholeLog(server.httpOrigin, server.firstRun)).filter(({ type }) => type === 'sepft');
    const count = new Map<string, number>();
    for (const { auth0_client: sent } of events) {
      const { name } = Object(sent);
      count.set(name, (count.get(name) ?? 0) + 1);
    }
    console.info(`${kills} kills during ${acknowledged.length} logins: each has its event`);
    expect(acknowledged.filter((mark) => count.get(mark) !== 1)).toEqual([]);
    // The lease of the last that was killed runs out first.
    const logIds = events.map(({ log_id }) => String(log_id)).toSorted();
    await vi.waitFor(() => expect([...new Set(idsOf(receiver.requests, 'sepft'))].toSorted()).toEqual(logIds), {
      timeout: 90_000,
      interval: 500,
    });
  });
});

describe('PostgreSQL stopped immediately during logins and deliveries (F3)', () => {
  it(`${ROUNDS} times: nothing acknowledged is missing, and the stream goes on without a restart`, async () => {
    const receiver = await receiving();
    const server = await startServerProcess({ env: { HTTPS_PORT: '0' }, database: 'embedded' });
    onTestFinished(() => server.stop());
    const { httpOrigin: origin, firstRun, pid } = server;
    await createStreamAt(origin, firstRun, receiver);
    const postmaster = async () =>
      Number((await readFile(join(server.dataDir, 'pg/postmaster.pid'), 'utf8')).split('\n')[0]);
    for (let round = 0; round < ROUNDS; round++) {
      const traffic = await startTraffic(origin, firstRun, `immediate-${round}`);
      await sleep(300 + Math.random() * 1_500);
      const stopped = await postmaster();
      // What `pg_ctl stop -m immediate` sends.
      process.kill(stopped, 'SIGQUIT');
      await vi.waitFor(async () => expect(await postmaster()).not.toBe(stopped), { timeout: 60_000, interval: 50 });
      await vi.waitFor(async () => expect((await call(origin, '/health/ready')).status).toBe(200), {
        timeout: 60_000,
        interval: 50,
      });
      await sleep(500);
      await traffic.stop();
      await expectNothingLost(origin, firstRun, traffic.acknowledged);
      const logIds = (await wholeLog(origin, firstRun)).map(({ log_id }) => String(log_id));
      const arrived = () => new Set(receiver.requests.flatMap(({ body }) => JSON.parse(body).log_id));
      // The stream itself is younger than the log's first events.
      await vi.waitFor(
        () => {
          const have = arrived();
          const first = logIds.findIndex((id) => have.has(id));
          expect(logIds.slice(first).filter((id) => !have.has(id))).toEqual([]);
        },
        { timeout: 60_000, interval: 250 },
      );
    }
    expect(server.pid).toBe(pid);
    console.info(`${ROUNDS} immediate stops: ${receiver.requests.length} deliveries, none missing`);
  });
});

async function logIn({ httpOrigin, firstRun }: ServerProcess, mark: string): Promise<boolean> {
  const { password_client, user, connection } = firstRun;
  const form = {
    ...password_client,
    grant_type: 'password',
    username: user.email,
    password: user.password,
    realm: connection,
  };
  const headers = { 'auth0-client': Buffer.from(JSON.stringify({ name: mark })).toString('base64') };
  const { status } = await call(httpOrigin, '/oauth/token', { form, headers }).catch(() => ({ status: 0 }));
  return status === 200;
}
