// npm run bench [-- --quick] [--only <row>] [--json] [--profile <folder>]: our figures beside yardsticks of the same run.
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Figure, Row } from './row.ts';
import { apiGuard } from './rows/api-guard.ts';
import { clientCredentials } from './rows/client-credentials.ts';
import { containers } from './rows/containers.ts';
import { hashStorm } from './rows/hash-storm.ts';
import { delay } from './rows/log/delay.ts';
import { delivery } from './rows/log/delivery.ts';
import { ingest } from './rows/log/ingest.ts';
import { noStream } from './rows/log/no-stream.ts';
import { tenSinks } from './rows/log/ten-sinks.ts';
import { login } from './rows/login.ts';
import { memory } from './rows/memory.ts';
import { reads } from './rows/reads.ts';
import { refresh } from './rows/refresh.ts';
import { retention } from './rows/retention.ts';
import { rules } from './rows/rules.ts';
import { silent } from './rows/silent.ts';
import { start } from './rows/start.ts';
import { tenants } from './rows/tenants.ts';
import { twoProcesses } from './rows/two-processes.ts';
import { renderTable, verdict } from './table.ts';
import { createWorkbench, type Settings } from './workbench.ts';

const ROWS: readonly Row[] = [
  clientCredentials,
  twoProcesses,
  refresh,
  login,
  silent,
  reads,
  hashStorm,
  tenants,
  containers,
  rules,
  ingest,
  delivery,
  delay,
  tenSinks,
  noStream,
  retention,
  apiGuard,
  memory,
  start,
];

const names = ROWS.map(({ name }) => name);
const USAGE = `Usage: npm run bench -- [options]

  --quick             one short round
  --only <row>        this row alone (repeatable): ${names.join(', ')}
  --json              print JSON
  --profile <folder>  write CPU profiles of the server into the folder
  --help              print this

Runs on Linux, some fifteen minutes without --quick. docs/benchmarks.md has the last figures.
`;
const options = readOptions();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const unknown = options.only?.find((name) => !names.includes(name));
if (process.platform !== 'linux' || unknown !== undefined) {
  process.stderr.write(
    unknown === undefined
      ? 'bench: CPU time and memory are read from /proc, so it runs on Linux only.\n'
      : `bench: there is no row '${unknown}'. Rows: ${names.join(', ')}.\n`,
  );
  process.exit(1);
}

const settings: Settings = {
  rounds: options.quick ? 1 : 5,
  seconds: options.quick ? 2 : 3,
  idleSeconds: options.quick ? 5 : 60,
  warmUpSeconds: options.quick ? 5 : 15,
  profileTo: options.profile,
};
const workbench = createWorkbench(settings);
const figures: Figure[] = [];
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop().then(() => process.exit(1)));

try {
  for (const row of ROWS) {
    if (options.only && !options.only.includes(row.name)) continue;
    if (!options.json) process.stderr.write(`${row.name} …\n`);
    figures.push(...(await row.measure(workbench)));
  }
} finally {
  await stop();
}

if (options.json) {
  const rows = figures.map((figure) => ({ ...figure, verdict: verdict(figure) }));
  process.stdout.write(`${JSON.stringify({ machine: machine(), settings, rows }, null, 2)}\n`);
} else {
  process.stdout.write(`${renderTable(figures)}\n${machine()}, median of ${settings.rounds}\n`);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        json: { type: 'boolean', default: false },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(1);
  }
}

function stop(): Promise<void> {
  stopping ??= workbench.stop();
  return stopping;
}

function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return `${availableParallelism()} cores, ${gigabytes} GiB, ${process.platform} ${process.arch}, Node ${process.version}, load average ${load} at the end`;
}
