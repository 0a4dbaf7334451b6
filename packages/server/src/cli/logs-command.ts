import { Command, InvalidArgumentError } from 'commander';
import { dataFolder } from './data-folder.ts';
import { describeRecord } from './describe-record.ts';
import { followLog } from './follow-log.ts';
import { logsRetentionCommand } from './logs-retention-command.ts';

interface Options {
  readonly tenant?: string;
  readonly type?: readonly string[];
  readonly user?: string;
  readonly client?: string;
  readonly query?: string;
  readonly console?: boolean;
  readonly lines: number;
  readonly follow: boolean;
  readonly json?: boolean;
}

/** `gatewright logs tail` */
export function logsCommand(): Command {
  const logs = new Command('logs').description(
    "The tenant's log, and what its rules and actions print. A server must be running.",
  );
  logs
    .command('tail')
    .description(
      'Show the newest log events, then each one as it comes, until Ctrl+C; a restart of the server in between loses none.',
    )
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--type <codes>', 'events of these types alone: f,fp,w', codesOf)
    .option('--user <id or name>', "this user's events alone")
    .option('--client <id or name>', "this application's events alone")
    .option('--query <search>', "what this search finds alone, as GET /api/v2/logs takes it: 'ip:10.* AND NOT type:s'")
    .option('--console', 'and what rules, actions, hooks and database scripts print')
    .option('--lines <count>', 'how many of the past come first', countOf, 10)
    .option('--no-follow', 'end after those')
    .option(
      '--json',
      'print a JSON object each line: records as GET /api/v2/logs has them, and those of the type console',
    )
    .action(tail);
  logs.addCommand(logsRetentionCommand());
  return logs;
}

async function tail({ tenant, type, user, client, query, lines, follow, json, ...options }: Options): Promise<void> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
  // `| head` has seen enough.
  process.stdout.on('error', () => end.abort());
  const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;
  await followLog(dataFolder(), {
    input: { tenant, types: type, user, client, query, console: options.console, lines, follow },
    onRecord: (record) => print(json ? JSON.stringify(record) : describeRecord(record, { isColoured })),
    tell: (text) => process.stderr.write(`${text}\n`),
    signal: end.signal,
  });
}

function print(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}

function codesOf(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((code) => code !== '')];
}

function countOf(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It is no number from 0 to 9999.');
  return Number(text);
}
