import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parsePrometheus, sumOf } from '../prometheus-text.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { call, logIn, tokenFor } from './calls.ts';
import { expectNothingLost, startTraffic } from './traffic.ts';
import { connectToEach, type WorkerConnection, workersOf } from './worker-processes.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess({ env: { GATEWRIGHT_WORKERS: '2' } });
});
// What the last test has not stopped.
afterAll(() => server.kill9());

const PATIENCE = { timeout: 60_000, interval: 50 };

async function bothWorkers(): Promise<[WorkerConnection, WorkerConnection]> {
  const [one, other] = await connectToEach(server.httpOrigin, workersOf(server.pid));
  if (!one || !other) throw new Error('There are no two workers.');
  return [one, other];
}

async function untilTwoServe(): Promise<void> {
  await vi.waitFor(async () => {
    expect(workersOf(server.pid)).toHaveLength(2);
    await bothWorkers();
  }, PATIENCE);
}

describe('GATEWRIGHT_WORKERS=2', { timeout: 150_000 }, () => {
  it('serves with two processes, and what one changes the other knows at once', async () => {
    const [one, other] = await bothWorkers();
    const headers = { authorization: `Bearer ${await tokenFor(server.httpOrigin, server.firstRun)}` };
    const { api } = server.firstRun;
    // Warm: the other one has the tenant's configuration in memory.
    expect((await other.ask('/api/v2/tenants/settings', { headers })).status).toBe(200);

    const made = await one.ask('/api/v2/clients', { headers, json: { name: 'New', app_type: 'non_interactive' } });
    const { client_id, client_secret } = made.body;
    const grant = { client_id, audience: api.identifier, scope: ['read:items'] };
    expect((await one.ask('/api/v2/client-grants', { headers, json: grant })).status).toBe(201);
    const exchange = (at: WorkerConnection) =>
      at.ask('/oauth/token', {
        form: {
          grant_type: 'client_credentials',
          audience: api.identifier,
          client_id: String(client_id),
          client_secret: String(client_secret),
        },
      });
    await vi.waitFor(async () => expect((await exchange(other)).status).toBe(200), PATIENCE);

    const settings = { friendly_name: 'Changed by one' };
    await one.ask('/api/v2/tenants/settings', { method: 'PATCH', headers, json: settings });
    await vi.waitFor(
      async () => expect((await other.ask('/api/v2/tenants/settings', { headers })).body).toMatchObject(settings),
      PATIENCE,
    );

    expect((await other.ask(`/api/v2/clients/${client_id}`, { method: 'DELETE', headers })).status).toBe(204);
    await vi.waitFor(async () => expect((await exchange(one)).status).toBe(401), PATIENCE);
    one.close();
    other.close();
  });

  it('adds up what all processes counted', async () => {
    const connections = await bothWorkers();
    const count = async () => {
      const { body } = await call(server.httpOrigin, '/metrics');
      const samples = parsePrometheus(String(body.text));
      return {
        processes: sumOf(samples, 'gatewright_processes'),
        keys: sumOf(samples, 'gatewright_http_request_duration_seconds_count', { route: '/.well-known/jwks.json' }),
      };
    };
    const before = await count();
    expect(before.processes).toBe(3);
    for (const { ask } of connections) for (let i = 0; i < 3; i++) await ask('/.well-known/jwks.json');
    expect((await count()).keys - before.keys).toBe(6);
    for (const connection of connections) connection.close();
  });

  it('goes on when one is killed: nothing acknowledged is lost, the other answers, and another one takes its place', async () => {
    const traffic = await startTraffic(server.httpOrigin, server.firstRun, 'workers');
    await vi.waitFor(() => expect(traffic.acknowledged.roles.length).toBeGreaterThan(5), PATIENCE);
    const [victim = 0, survivor] = workersOf(server.pid);
    process.kill(victim, 'SIGKILL');
    // No connection of its own is needed for this: the next one that comes goes to a process that lives.
    for (let request = 0; request < 10; request++)
      expect((await call(server.httpOrigin, '/health/ready')).status).toBe(200);
    expect((await logIn(server.httpOrigin, server.firstRun)).status).toBe(200);
    await untilTwoServe();
    await traffic.stop();
    expect(workersOf(server.pid)).toContain(survivor);
    expect(server.log()).toContain(`Worker ${victim} ended with SIGKILL`);
    await expectNothingLost(server.httpOrigin, server.firstRun, traffic.acknowledged);
  });

  it('replaces its processes one after the other at SIGUSR2, and no request fails', async () => {
    const before = workersOf(server.pid);
    let isDone = false;
    const failures: unknown[] = [];
    const asking = (async () => {
      while (!isDone) {
        await call(server.httpOrigin, '/health/ready').then(
          ({ status }) => status === 200 || failures.push(status),
          (error) => failures.push(error),
        );
        await sleep(10);
      }
    })();
    process.kill(server.pid, 'SIGUSR2');
    await vi.waitFor(() => {
      const now = workersOf(server.pid);
      expect(now).toHaveLength(2);
      expect(now.filter((pid) => before.includes(pid))).toEqual([]);
    }, PATIENCE);
    isDone = true;
    await asking;
    expect(failures).toEqual([]);
  });

  it('ends with the first process, even by kill -9, and the next start serves again', async () => {
    const workers = workersOf(server.pid);
    await server.kill9();
    await vi.waitFor(() => expect(workers.filter(isAlive)).toEqual([]), PATIENCE);
    await server.restart();
    await untilTwoServe();
    expect((await logIn(server.httpOrigin, server.firstRun)).status).toBe(200);
  });

  it('drains at SIGTERM: every process ends, the first one with 0', async () => {
    const workers = workersOf(server.pid);
    await server.stop();
    expect(workers.filter(isAlive)).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
