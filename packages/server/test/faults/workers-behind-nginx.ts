import { expect, it } from 'vitest';
import { freePorts } from '../free-ports.ts';
import { killUnderLoad } from '../operations/kill-under-load.ts';
import { describeBehindNginx, startNginx } from '../operations/nginx.ts';
import { startServerProcess } from '../server-process.ts';

const KILLS = Number(process.env.FAULT_ROUNDS ?? 10);

describeBehindNginx('Two processes behind nginx', () => {
  it(`survive ${KILLS} times kill -9 of one under load: nothing acknowledged is lost, no login fails for longer than a second`, async () => {
    const env = {
      GATEWRIGHT_ORIGIN: 'https://login.example.com',
      GATEWRIGHT_WORKERS: '2',
      TRUSTED_PROXIES: '127.0.0.1',
    };
    const server = await startServerProcess({ env: { ...env, HTTPS_PORT: '0' }, database: 'embedded' });
    const upstream = Number(new URL(server.httpOrigin).port);
    const nginx = await startNginx(upstream, await freePorts());
    try {
      const outcome = await killUnderLoad({ server, port: nginx.port, host: 'login.example.com', kills: KILLS });
      console.info(
        `${KILLS} kills, ${outcome.acknowledged} writes and ${outcome.logins} logins acknowledged, longest failure ${outcome.longestFailureMilliseconds.toFixed(0)} ms`,
      );
      expect(outcome.lost).toEqual([]);
      expect(outcome.longestFailureMilliseconds).toBeLessThan(1_000);
    } finally {
      await nginx.stop();
      await server.stop();
    }
  });
});
