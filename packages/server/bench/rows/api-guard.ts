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
  const signed = framework === 'express' ? await start('jwt-bearer') : undefined;
  const send = await workbench.load();
  const { rounds, seconds } = workbench.settings;
  const perSecond = async ({ target, requests }: typeof bare) => {
    const result = await send(target, { requests, seconds });
    return result.answered / result.seconds;
  };

  // In turn: what the machine does meanwhile happens to all of them.
  for (const warm of [bare, guarded, ...(signed ? [signed] : [])]) await perSecond(warm);
  const measured: { ours: number; without: number; signed: number; p99: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await perSecond(bare);
    const ours = await perSecond(guarded);
    // Half of what it can do: each connection waits as long again as its share of a full load takes.
    const pauseMilliseconds = (2 * 1000 * CONNECTIONS) / ours;
    const { p99 } = await send(guarded.target, { requests: guarded.requests, seconds, pauseMilliseconds });
    measured.push({ ours, without, signed: signed ? await perSecond(signed) : 1, p99 });
  }
  const middle = (of: (one: (typeof measured)[number]) => number) => median(measured.map(of));
  const rate = (name: 'ours' | 'without' | 'signed') => `${middle((one) => one[name]).toFixed(0)}/s`;
  const missed = await guarded.program.run({ misses: MISSES });

  const figures: Figure[] = [
    {
      work: `${framework}, known token: requests a second`,
      ours: rate('ours'),
      yardstick: `unguarded with one get ${rate('without')}`,
      measured: middle(({ ours, without }) => ours / without),
      unit: 'of it',
      goal: { is: 'at least', limit: 0.7 },
    },
    {
      work: `${framework}, known token: p99 at half load`,
      ours: `${middle(({ p99 }) => p99).toFixed(2)} ms`,
      yardstick: `half of ${rate('ours')}`,
      measured: middle(({ p99 }) => p99),
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
  if (signed)
    figures.push({
      work: `${framework}, known token: beside express-oauth2-jwt-bearer`,
      ours: rate('ours'),
      yardstick: `a signature each time, no revocation ${rate('signed')}`,
      measured: middle((one) => one.ours / one.signed),
      unit: 'times',
    });
  return figures;
}
