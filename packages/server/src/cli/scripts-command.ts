import { basename } from 'node:path';
import { Command } from 'commander';
import type { TriedScript } from '../custom-databases/try-script.ts';
import { describeRun, inJson } from './describe-run.ts';
import { readRule } from './read-rule.ts';
import { ALLOW, readObject, secondsOf, targetsOf } from './try-options.ts';
import { refuseUnavailable, withContainers } from './with-containers.ts';

interface Options {
  readonly configuration?: string;
  readonly allow: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}

/** `gatewright scripts try` */
export function scriptsCommand(): Command {
  const scripts = new Command('scripts').description('Scripts of custom databases: login, get_user, create …');
  scripts
    .command('try <file> [arguments...]')
    .description(
      'Run a script here as a connection would, in a real container, and show what it prints and what it calls back with. Arguments are ' +
        'JSON, or text as it stands. The database that it reaches is a real one. Ends with 1 where it fails. Needs no server.',
    )
    .option('--configuration <json|file>', 'what the script finds in configuration')
    .option(...ALLOW, targetsOf, [])
    .option('--limit <seconds>', 'how long it may take', secondsOf, 20)
    .option('--json', 'print JSON')
    .action(run);
  return scripts;
}

async function run(
  file: string,
  given: readonly string[],
  { configuration, allow, limit, json }: Options,
): Promise<void> {
  const trial = {
    name: basename(file).replace(/\.js$/, ''),
    code: await readRule(file),
    arguments: given.map(readArgument),
    configuration: configuration === undefined ? {} : await readObject('--configuration', configuration),
  };
  const { tryScript } = await import('../custom-databases/try-script.ts');
  await withContainers({ limit, allow }, async (containers) => {
    const report = await tryScript(containers, trial);
    refuseUnavailable(report.failure);
    process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describe(report)}\n`);
    if (report.failure) process.exitCode = 1;
  });
}

function readArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function describe(report: TriedScript): string {
  const { failure, result } = report;
  const answer = failure ? [] : [['It calls back with', [inJson(result ?? null)]] as const];
  return describeRun(report, answer, failure ? 'The script failed' : 'The script has answered');
}
