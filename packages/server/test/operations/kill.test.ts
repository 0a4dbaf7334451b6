import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { call } from './calls.ts';
import { place, type RunningCommand, run } from './command.ts';
import { expectNothingLost, startTraffic } from './traffic.ts';

async function postmasterOf(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'pg/postmaster.pid'), 'utf8')).split('\n')[0]);
}

describe('kill -9', { timeout: 150_000 }, () => {
  it('of PostgreSQL is answered with 503 and recovered from; of both at once, nothing acknowledged is lost', async () => {
    const { dataDir, env } = await place();
    let server: RunningCommand = run(['start'], { env });
    await server.says('Ready after');
    const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
    const origin: string = firstRun.http_origin;
    const ready = async () => expect((await call(origin, '/health/ready')).status).toBe(200);

    const traffic = await startTraffic(origin, firstRun, 'one');
    await vi.waitFor(() => expect(traffic.acknowledged.roles.length).toBeGreaterThan(5), { timeout: 60_000 });
    process.kill(await postmasterOf(dataDir), 'SIGKILL');
    await server.says('PostgreSQL runs again');
    await vi.waitFor(ready, { timeout: 60_000, interval: 50 });
    const { length } = traffic.acknowledged.tokens;
    await vi.waitFor(() => expect(traffic.acknowledged.tokens.length).toBeGreaterThan(length + 5), { timeout: 60_000 });
    expect((await call(origin, '/health/live')).status).toBe(200);

    process.kill(await postmasterOf(dataDir), 'SIGKILL');
    await server.end('SIGKILL');
    await traffic.stop();
    server = run(['start'], { env });
    await server.says('Ready after');
    await expectNothingLost(origin, firstRun, traffic.acknowledged);

    // And of the server alone, whose PostgreSQL lives on.
    const { socket } = JSON.parse(await readFile(join(dataDir, 'control.json'), 'utf8'));
    const second = await startTraffic(origin, firstRun, 'two');
    await sleep(500);
    await server.end('SIGKILL');
    await second.stop();
    server = run(['start'], { env });
    await server.says('Ready after');
    expect(server.printed()).toContain('Took over the PostgreSQL');
    // The killed server's control socket does not stay behind.
    expect(existsSync(socket)).toBe(false);
    await expectNothingLost(origin, firstRun, second.acknowledged);
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});
