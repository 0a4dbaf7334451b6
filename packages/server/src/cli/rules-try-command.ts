import { basename } from 'node:path';
import { Command } from 'commander';
import { describeTrial } from './describe-trial.ts';
import { readRule } from './read-rule.ts';
import { ALLOW, readObject, secondsOf, targetsOf } from './try-options.ts';
import { refuseUnavailable, withContainers } from './with-containers.ts';

interface Options {
  readonly user?: string;
  readonly context?: string;
  readonly configuration?: string;
  readonly allow: readonly string[];
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
    .option(...ALLOW, targetsOf, [])
    .option('--limit <seconds>', 'how long they may take together', secondsOf, 20)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(
  files: readonly string[],
  { user, context, configuration, allow, limit, json }: Options,
): Promise<void> {
  const rules = await Promise.all(
    files.map(async (file) => ({ name: basename(file).replace(/\.js$/, ''), script: await readRule(file) })),
  );
  const trial = {
    rules,
    user: user === undefined ? undefined : await readObject('--user', user),
    context: context === undefined ? undefined : await readObject('--context', context),
    configuration: configuration === undefined ? {} : await readObject('--configuration', configuration),
  };
  await withContainers({ limit, allow }, async (containers) => {
    const { tryRules } = await import('../rules/try/try-rules.ts');
    const report = await tryRules(containers, trial);
    refuseUnavailable(report.failure);
    process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeTrial(report)}\n`);
    if (report.verdict.kind === 'refused') process.exitCode = 1;
  });
}
