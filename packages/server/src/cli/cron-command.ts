import { Command, InvalidArgumentError } from 'commander';
import { CommandError, callServer, streamFromServer } from '../control/control-client.ts';
import { type Json, objectOf, objectsOf, textOf, textsOf } from '../kit/json-values.ts';
import { dataFolder } from './data-folder.ts';
import { printable } from './printable.ts';

interface Options {
  readonly tenant?: string;
  readonly json?: boolean;
}

interface ScheduleOptions extends Options {
  readonly name: string;
  readonly secret?: Readonly<Record<string, string>>;
  readonly timeZone?: string;
  readonly limit?: string;
}

/** `gatewright cron schedule | ls | logs | rm`. */
export function cronCommand(): Command {
  const cron = new Command('cron').description(
    'Exports of the log that the server runs by itself. One run of a job at a time, also with several servers. A server must be running.',
  );
  cron
    .command('schedule')
    .argument('<schedule>', 'five fields of cron in quotes, or six with seconds first: "*/5 * * * *"')
    .argument('[program]', 'of old command lines; it is the export-logs that is here')
    .description(
      'Schedule an export, or change the one of this name. Its checkpoint stays where the tenant of the log stays.',
    )
    .requiredOption('--name <name>', 'what it is called')
    .option('--secret <K=V>', 'a setting of export-logs; K alone takes its value from the environment', collectSecrets)
    .option('--time-zone <name>', 'of the schedule: Europe/Berlin; UTC where it is left out')
    .option('--limit <minutes>', 'a run ends then, and the next one goes on; 30 where it is left out')
    .option('--tenant <name>', 'the tenant that it belongs to; the default one where it is left out')
    .option('--json', 'print JSON')
    .action(schedule);
  cron
    .command('ls')
    .description('List the jobs, when they run next, and how their last run ended.')
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--json', 'print JSON')
    .action(list);
  cron
    .command('logs')
    .argument('[name]', 'the job; all of them where it is left out')
    .description('Show what the last run printed; with -f, what runs print from now on, until Ctrl+C.')
    .option('-f, --follow', 'go on with what comes')
    .option('--runs <count>', 'how many past runs; 1 where it is left out', countOf, 1)
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--json', 'print JSON: runs, or with -f a line each')
    .action((name: string | undefined, options: LogsOptions) =>
      options.follow ? follow(name, options) : showRuns(name, options),
    );
  cron
    .command('rm <name>')
    .description('Remove a job, its checkpoint and its history. A run under way ends.')
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--json', 'print JSON')
    .action(async (name: string, { tenant, json }: Options) => {
      const answer = await callServer(dataFolder(), 'cron-remove', { name, tenant });
      print(json ? JSON.stringify(answer) : `The job '${name}' is removed.`);
    });
  return cron;
}

async function schedule(expression: string, program: string | undefined, options: ScheduleOptions): Promise<void> {
  const { name, secret, timeZone, limit, tenant, json } = options;
  if (program !== undefined)
    process.stderr.write(`${printable(program)} is not needed: the export is part of Gatewright.\n`);
  const answer = await callServer(dataFolder(), 'cron-schedule', {
    name,
    schedule: expression,
    settings: secret ?? {},
    time_zone: timeZone,
    ...(limit !== undefined && { limit_minutes: Number(limit) }),
    tenant,
  });
  for (const note of textsOf(answer.notes)) process.stderr.write(`${note}\n`);
  print(
    json
      ? JSON.stringify(answer, null, 2)
      : `The job '${answer.name}' is scheduled. It runs next at ${answer.next_run_at}.`,
  );
}

async function list({ tenant, json }: Options): Promise<void> {
  const answer = await callServer(dataFolder(), 'cron-list', { tenant });
  const jobs = objectsOf(answer.jobs);
  if (json) return print(JSON.stringify(answer, null, 2));
  if (jobs.length === 0) return print('Nothing is scheduled. gatewright cron schedule --help says how.');
  print(jobs.map(describeJob).join('\n\n'));
}

interface LogsOptions extends Options {
  readonly follow?: boolean;
  readonly runs: number;
}

async function showRuns(name: string | undefined, { tenant, runs, json }: LogsOptions): Promise<void> {
  const answer = await callServer(dataFolder(), 'cron-runs', { name, tenant, runs });
  if (json) return print(JSON.stringify(answer, null, 2));
  const all = objectsOf(answer.runs).toReversed();
  print(all.length === 0 ? 'Nothing has run yet.' : all.map(describeRun).join('\n'));
}

async function follow(name: string | undefined, { tenant, runs, json }: LogsOptions): Promise<void> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
  // `| head` has seen enough.
  process.stdout.on('error', () => end.abort());
  try {
    await streamFromServer(dataFolder(), {
      verb: 'cron-follow',
      input: { name, tenant, runs },
      async onData(piece) {
        const text = piece.toString().trimEnd();
        print(json ? text : describeLine(objectOf(JSON.parse(text))));
      },
      onProgress: () => {},
      signal: end.signal,
    });
  } catch (cause) {
    if (!end.signal.aborted) throw cause;
  }
}

function describeJob({ name, schedule, time_zone, state, next_run_at, behind_since, secrets, last_run }: Json): string {
  const last = objectOf(last_run);
  return [
    `${name}  ${schedule} (${time_zone})`,
    `  ${state === 'running' ? 'running now; ' : ''}next run: ${next_run_at}`,
    `  last run: ${last.id === undefined ? 'none yet' : endOf(last)}`,
    ...(behind_since ? [`  behind: an event of ${behind_since} waits, and all later ones with it`] : []),
    `  settings: ${textsOf(secrets).join(', ')} (their values are not shown)`,
  ].join('\n');
}

function describeRun(run: Json): string {
  const lines = objectsOf(run.lines).map(({ at, text }) => describeLine({ job: run.job, at, text }));
  return [...lines, `${run.job}: ${endOf(run)}`].join('\n');
}

function endOf({ started_at, ended_at, outcome, sent, skipped, error }: Json): string {
  if (outcome === 'running') return `running since ${started_at}, ${sent} sent so far`;
  const why = textOf(error);
  return `${ended_at ?? started_at} ${outcome}, ${sent} sent, ${skipped} filtered out${why ? ` (${printable(why)})` : ''}`;
}

function describeLine({ job, at, text }: Json): string {
  return `${textOf(at)
    ?.replace('T', ' ')
    .replace(/\.\d+Z$/, '')}  ${job}: ${printable(textOf(text) ?? '')}`;
}

function collectSecrets(
  given: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = given.indexOf('=');
  const name = at < 0 ? given : given.slice(0, at);
  const value = at < 0 ? process.env[name] : given.slice(at + 1);
  if (name === '') throw new InvalidArgumentError('It is K=V.');
  if (value === undefined)
    throw new CommandError(
      `${printable(name)} has no value: write ${printable(name)}=…, or set it in the environment.`,
    );
  return { ...before, [name]: value };
}

function countOf(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 100) throw new InvalidArgumentError('It is no number from 0 to 100.');
  return Number(text);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
