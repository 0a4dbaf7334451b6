import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { call } from '../operations/calls.ts';
import { place, type RunningCommand, run } from '../operations/command.ts';
import { expectNothingLost, startTraffic } from '../operations/traffic.ts';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 10);
const VICTIMS = ['server', 'postgres', 'both'] as const;

describe.each(VICTIMS)(
  'kill -9 of %s, again and again, at any moment of tokens, logins, refreshes and writes',
  (victim) => {
    it(`loses nothing acknowledged in ${ROUNDS} rounds`, async () => {
      const { dataDir, env } = await place();
      let server: RunningCommand = run(['start'], { env });
      await server.says('Ready after');
      const firstRun = JSON.parse(await readFile(join(dataDir, 'first-run.json'), 'utf8'));
      const origin: string = firstRun.http_origin;
      const postmaster = async () =>
        Number((await readFile(join(dataDir, 'pg/postmaster.pid'), 'utf8')).split('\n')[0]);
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const traffic = await startTraffic(origin, firstRun, `${victim}-${round}`);
        // At another point of the work each time.
        await sleep(200 + Math.random() * 1_500);
        const killed = await postmaster();
        if (victim !== 'server') process.kill(killed, 'SIGKILL');
        if (victim !== 'postgres') {
          await server.end('SIGKILL');
          await traffic.stop();
          server = run(['start'], { env });
          await server.says('Ready after');
        }
        // Until its server has noticed, the killed one's connections may still answer.
        if (victim === 'postgres')
          await vi.waitFor(async () => expect(await postmaster()).not.toBe(killed), { timeout: 60_000, interval: 50 });
        await vi.waitFor(async () => expect((await call(origin, '/health/ready')).status).toBe(200), {
          timeout: 60_000,
          interval: 50,
        });
        await traffic.stop();
        await expectNothingLost(origin, firstRun, traffic.acknowledged);
        const { tokens, logins, roles } = traffic.acknowledged;
        acknowledged += tokens.length + logins.length + roles.length;
      }
      console.info(`${victim}: ${ROUNDS} kills, ${acknowledged} acknowledged requests, none lost`);
      expect(acknowledged).toBeGreaterThan(ROUNDS);
      expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
    });
  },
);
