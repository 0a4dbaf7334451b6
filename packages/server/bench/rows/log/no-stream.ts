import { startLogSubject } from '../../log-subject.ts';
import { median } from '../../program.ts';
import type { Row } from '../../row.ts';

const AT_ONCE = 16;

/** What log streams cost an installation that has none: logins with their worker and without, in turn. */
export const noStream: Row = {
  name: 'log-no-stream',
  async measure({ settings }) {
    const subject = await startLogSubject();
    const { app, tenant } = subject;
    const { client_id, client_secret } = tenant.password_client;
    const { email: username, password } = tenant.user;
    const payload = new URLSearchParams({ grant_type: 'password', client_id, client_secret, username, password });
    const logIn = async () => {
      const { statusCode, body } = await app.http.inject({
        method: 'POST',
        url: '/oauth/token',
        headers: { host: 'localhost:3000', 'content-type': 'application/x-www-form-urlencoded' },
        payload: payload.toString(),
      });
      if (statusCode !== 200) throw new Error(`A login was refused: ${body}`);
    };
    try {
      const [on, off, costs]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round <= settings.rounds; round++) {
        const withWorker = await logins(logIn, settings.seconds);
        await app.streams.stop();
        const without = await logins(logIn, settings.seconds);
        app.streams.start();
        if (round === 0) continue;
        on.push(withWorker);
        off.push(without);
        costs.push(withWorker / without);
      }
      return [
        {
          work: 'logins a second where no log stream exists',
          ours: `${median(on).toFixed(1)}/s`,
          yardstick: `without the worker ${median(off).toFixed(1)}/s`,
          measured: median(costs),
          unit: 'of it',
          goal: { is: 'at least', limit: 0.97 },
        },
      ];
    } finally {
      await subject.stop();
    }
  },
};

async function logins(logIn: () => Promise<void>, seconds: number): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1_000;
  let done = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (; performance.now() < end; done++) await logIn();
    }),
  );
  return done / ((performance.now() - began) / 1_000);
}
