import { startMemcached } from '../memcached-process.ts';
import { median } from '../program.ts';
import type { GuardedApiResult, GuardedApiTask } from '../programs/guarded-api.ts';
import { bearerRequest } from '../requests.ts';
import type { Figure, Row } from '../row.ts';
import type { Target, Workbench } from '../workbench.ts';

const CONNECTIONS = 32;
const MISSES = 1_000;
const FRAMEWORKS = ['express', 'fastify'] as const;

/** What the guard adds to a request whose token is known, beside the same framework with one get of memcached and no more. */
export const apiGuard: Row = {
  name: 'api-guard',
  async measure(workbench) {
    const memcached = await startMemcached();
    if (!memcached) {
      process.stderr.write('api-guard: left out, since there is no memcached on this machine.\n');
      return [];
    }
    try {
      const figures: Figure[] = [];
      for (const framework of FRAMEWORKS)
        figures.push(...(await measureFramework(workbench, framework, memcached.address)));
      return figures;
    } finally {
      await memcached.stop();
    }
  },
};

async function measureFramework(
  workbench: Workbench,
  framework: (typeof FRAMEWORKS)[number],
  address: string,
): Promise<Figure[]> {
  const start = async (by: 'one get' | 'api-guard' | 'jwt-bearer') => {
    const program = workbench.program<GuardedApiTask, GuardedApiResult>('guarded-api');
    const { port, tokens } = await program.run({ framework, by, address, users: CONNECTIONS });
    const target: Target = { pid: program.pid, port, host: `127.0.0.1:${port}` };
    const requests = tokens.map((token) => bearerRequest('/venues', token));
    return { program, target, requests };
  };
  const [bare, guarded] = [await start('one get'), await start('api-guard')];
  const without = await workbench.measureRequests(bare.target, () => bare.requests);
  const cost = await workbench.measureRequests(guarded.target, () => guarded.requests);

  const send = await workbench.load();
  // Half of what it can do: each connection waits as long again as its share of a full load takes.
  const pauseMilliseconds = (2 * 1000 * CONNECTIONS) / cost.perSecond;
  const late: number[] = [];
  for (let round = 0; round < workbench.settings.rounds; round++)
    late.push(
      (
        await send(guarded.target, {
          requests: guarded.requests,
          seconds: workbench.settings.seconds,
          pauseMilliseconds,
        })
      ).p99,
    );
  const missed = await guarded.program.run({ misses: MISSES });

  const figures: Figure[] = [
    {
      work: `${framework}, known token: requests a second`,
      ours: `${cost.perSecond.toFixed(0)}/s`,
      yardstick: `unguarded with one get ${without.perSecond.toFixed(0)}/s`,
      measured: cost.perSecond / without.perSecond,
      unit: 'of it',
      goal: { is: 'at least', limit: 0.7 },
    },
    {
      work: `${framework}, known token: p99 at half load`,
      ours: `${median(late).toFixed(2)} ms`,
      yardstick: `${(cost.perSecond / 2).toFixed(0)}/s`,
      measured: median(late),
      unit: 'ms',
      goal: { is: 'at most', limit: 5 },
    },
    {
      work: `${framework}: questions for ${MISSES} misses of one token at once`,
      ours: `${missed.asked} in ${missed.milliseconds.toFixed(0)} ms`,
      yardstick: 'one question 5 ms',
      measured: missed.asked,
      unit: 'times',
      goal: { is: 'at most', limit: 1 },
    },
  ];
  if (framework === 'fastify') return figures;
  const signed = await start('jwt-bearer');
  const other = await workbench.measureRequests(signed.target, () => signed.requests);
  figures.push({
    work: `${framework}, known token: beside express-oauth2-jwt-bearer`,
    ours: `${cost.perSecond.toFixed(0)}/s`,
    yardstick: `a signature each time, no revocation ${other.perSecond.toFixed(0)}/s`,
    measured: cost.perSecond / other.perSecond,
    unit: 'times',
  });
  return figures;
}
