import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../control/control-client.ts';
import { isObject, type Json } from '../kit/json-values.ts';
import { createLog } from '../kit/log.ts';
import { dataFolder } from './data-folder.ts';
import { describeTrial } from './describe-trial.ts';
import { readRule } from './read-rule.ts';

interface Options {
  readonly user?: string;
  readonly context?: string;
  readonly configuration?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `gatewright rules try` */
export function rulesTryCommand(): Command {
  return new Command('try')
    .argument('<file...>', 'rules, in the order in which they run')
    .description(
      'Run rules here as a login would, in a real container, and show what they print, what they change, and what the application would ' +
        'hear. The Management API is a stand-in that knows this one user; other addresses are real. Ends with 1 where the login is refused. Needs no server.',
    )
    .option('--user <json|file>', 'the user; a sample where it is left out')
    .option('--context <json|file>', 'members of context that differ from those of a sample login')
    .option('--configuration <json|file>', 'what the rules find in configuration')
    .option('--limit <seconds>', 'how long they may take together', secondsOf, 20)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(files: readonly string[], { user, context, configuration, limit, json }: Options): Promise<void> {
  const rules = await Promise.all(
    files.map(async (file) => ({ name: basename(file).replace(/\.js$/, ''), script: await readRule(file) })),
  );
  const trial = {
    rules,
    user: user === undefined ? undefined : await readObject('--user', user),
    context: context === undefined ? undefined : await readObject('--context', context),
    configuration: configuration === undefined ? {} : await readObject('--configuration', configuration),
    limitMs: limit * 1000,
  };
  // Nothing of a server is loaded by other commands for this one.
  const { createContainers } = await import('../containers/containers.ts');
  const { addedModulesFolder, checkModuleStore, MODULE_STORE } = await import('../containers/module-folders.ts');
  const { tryRules } = await import('../rules/try/try-rules.ts');
  const missing = checkModuleStore();
  if (missing !== undefined) process.stderr.write(`${missing}\n`);
  const containers = createContainers({
    log: createLog('pretty'),
    moduleStore: missing === undefined ? MODULE_STORE : undefined,
    addedModules: addedModulesFolder(dataFolder()),
  });
  try {
    const report = await tryRules(containers, trial);
    if (report.failure?.kind === 'unavailable')
      throw new CommandError(report.failure.error?.message ?? 'No container could be started.');
    process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeTrial(report)}\n`);
    if (report.verdict.kind === 'refused') process.exitCode = 1;
  } finally {
    await containers.stop();
  }
}

/** JSON as it stands there, or the name of a file of it. */
async function readObject(option: string, given: string): Promise<Json> {
  const text = /^\s*[{[]/.test(given)
    ? given
    : await readFile(given, 'utf8').catch((cause) => {
        throw new CommandError(`${option}: ${given} can't be read: ${cause.code ?? cause.message}`);
      });
  const value = parse(option, text);
  if (!isObject(value)) throw new CommandError(`${option} is no JSON object.`);
  return value;
}

function parse(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`${option} is no JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 20)) throw new InvalidArgumentError('It is more than 0 and at most 20.');
  return seconds;
}
