import { readFileSync } from 'node:fs';
import { createContainers } from '../../src/containers/containers.ts';
import type { Job } from '../../src/containers/job.ts';
import { MODULE_STORE } from '../../src/containers/module-folders.ts';
import { median } from '../program.ts';
import type { Row } from '../row.ts';

const WARM_UP = 500;
const EXECUTIONS = 3_000;
const TENANTS = 8;
/** Three that do what most do: look at the user, add a claim, wait for nothing. */
export const TRIVIAL: readonly string[] = [
  "function (user, context, callback) { context.idToken['https://example.com/a'] = user.email; callback(null, user, context); }",
  "async function (user, context, callback) { context.accessToken['https://example.com/b'] = 1; callback(null, user, context); }",
  'function (user, context, callback) { if (!user.email_verified) context.unverified = true; callback(null, user, context); }',
];
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Tenant code without a server around it: there and back, the first start, and what one that waits takes. */
export const containers: Row = {
  name: 'containers',
  async measure({ settings }) {
    const cold: number[] = [];
    for (let round = 0; round < Math.max(settings.rounds, 3); round++) {
      const fresh = createContainers({ log: silent, moduleStore: MODULE_STORE });
      // What a start of the server does.
      await fresh.check();
      cold.push(await time(() => run(fresh, 'first')));
      await fresh.stop();
    }
    const warm = createContainers({ log: silent, moduleStore: MODULE_STORE });
    const trips: number[] = [];
    for (let index = 0; index < WARM_UP + EXECUTIONS; index++) {
      const took = await time(() => run(warm, 'tenant-0'));
      if (index >= WARM_UP) trips.push(took);
    }
    for (let tenant = 1; tenant < TENANTS; tenant++) await run(warm, `tenant-${tenant}`);
    const { pids } = warm.stats();
    const apart = median(pids.map(privateMegabytes));
    await warm.stop();
    const figure = (work: string, ours: string, measured: number, unit: 'ms' | 'MB', limit: number) =>
      ({ work, ours, yardstick: '–', measured, unit, goal: { is: 'at most', limit } }) as const;
    const trip = median(trips);
    return [
      figure('three trivial rules in a warm container, there and back', `p50 of ${EXECUTIONS}`, trip, 'ms', 1),
      figure('the same in a container that has to start', `median of ${cold.length}`, median(cold), 'ms', 150),
      figure('private memory of an idle container', `median of ${pids.length}`, apart, 'MB', 20),
    ];
  },
};

async function run({ execute }: ReturnType<typeof createContainers>, tenantId: string): Promise<void> {
  const outcome = await execute(jobFor(tenantId));
  if (!outcome.ok) throw new Error(`The rules failed: ${JSON.stringify(outcome.failure)}`);
}

function jobFor(tenantId: string): Job {
  const parts = TRIVIAL.map((code, index) => ({ id: `rul_${index}`, name: `rule ${index}`, code }));
  const user = { user_id: 'auth0|1', email: 'ada@example.com', email_verified: true, identities: [], app_metadata: {} };
  const context = {
    clientID: 'c',
    protocol: 'oidc-basic-profile',
    stats: { loginsCount: 1 },
    idToken: {},
    accessToken: {},
  };
  return {
    tenantId,
    pool: 'scripts',
    kind: 'rules',
    program: { hash: 'bench', parts },
    input: { user, context, configuration: {} },
  };
}

async function time(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function privateMegabytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, value]) => Number(value));
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}
