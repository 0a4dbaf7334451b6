import { basename } from 'node:path';
import { Command } from 'commander';
import type { TriedAction } from '../actions/running/try-locally.ts';
import { TRIGGER_IDS } from '../actions/triggers.ts';
import { CommandError } from '../control/control-client.ts';
import { describeCall, describeRun, inJson } from './describe-run.ts';
import { printable } from './printable.ts';
import { readRule } from './read-rule.ts';
import { ALLOW, readObject, secondsOf, targetsOf } from './try-options.ts';
import { refuseUnavailable, withContainers } from './with-containers.ts';

interface Options {
  readonly trigger: string;
  readonly event?: string;
  readonly secrets?: string;
  readonly module?: readonly string[];
  readonly allow: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}

/** `gatewright actions try` */
export function actionsCommand(): Command {
  const actions = new Command('actions').description('Actions, modules of a tenant that run at its triggers.');
  actions
    .command('try <file>')
    .description(
      'Run an action here as its trigger would, in a real container, and show what it prints and what it asks for. The Management API ' +
        'is a stand-in that knows this one user; other addresses are real. Ends with 1 where it fails or refuses. Needs no server.',
    )
    .option('--trigger <id>', `one of: ${TRIGGER_IDS.join(', ')}`, 'post-login')
    .option('--event <json|file>', 'members of event that differ from those of a sample login')
    .option('--secrets <json|file>', 'what the action finds in event.secrets')
    .option('--module <name@version...>', 'the versions that it requires')
    .option(...ALLOW, targetsOf, [])
    .option('--limit <seconds>', 'how long it may take', secondsOf, 20)
    .option('--json', 'print JSON')
    .action(run);
  return actions;
}

async function run(file: string, { trigger, allow, limit, json, ...options }: Options): Promise<void> {
  const code = await readRule(file);
  const given = options.event === undefined ? {} : await readObject('--event', options.event);
  const secrets = options.secrets === undefined ? {} : await readObject('--secrets', options.secrets);
  if (!TRIGGER_IDS.includes(trigger))
    throw new CommandError(`'${trigger}' is no trigger. Triggers: ${TRIGGER_IDS.join(', ')}.`);
  const { tryLocally } = await import('../actions/running/try-locally.ts');
  await withContainers({ limit, allow }, async (containers) => {
    const report = await tryLocally(containers, {
      triggerId: trigger,
      name: basename(file).replace(/\.js$/, ''),
      code,
      event: given,
      secrets: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, String(value)])),
      dependencies: (options.module ?? []).map(dependencyOf),
    });
    refuseUnavailable(report.failure);
    process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describe(report)}\n`);
    if (report.failure || report.refusal !== undefined) process.exitCode = 1;
  });
}

function dependencyOf(given: string): { readonly name: string; readonly version: string } {
  const [, name, version] = /^(.+)@([^@]+)$/.exec(given) ?? [];
  if (name === undefined || version === undefined) throw new CommandError(`--module: '${given}' is no name@version.`);
  return { name, version };
}

function describe(report: TriedAction): string {
  const { commands, calls, failure, refusal } = report;
  const asked = commands.map(({ name, arguments: given }) => `api.${name}(${given.map(inJson).join(', ')})`);
  const end = failure
    ? 'The action failed'
    : refusal
      ? `The flow is refused by api.${printable(refusal)}`
      : 'The flow goes on';
  return describeRun(
    report,
    [
      ['Management API', calls.map(describeCall)],
      ['It asks for', asked],
    ],
    end,
  );
}
