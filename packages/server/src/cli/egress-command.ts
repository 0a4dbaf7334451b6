import { Command } from 'commander';
import { callServer } from '../control/control-client.ts';
import { dataFolder } from './data-folder.ts';

type Input = Readonly<Record<string, unknown>>;

/** `gatewright egress show | mode | allow | remove`. */
export function egressCommand(): Command {
  const egress = new Command('egress').description(
    "Say where a tenant's rules, actions and database scripts may connect to. A server must be running.",
  );
  egress
    .command('show <tenant>')
    .description('Show what is allowed.')
    .option('--json', 'print JSON')
    .action((tenant: string, options: Options) => ask('egress-show', { tenant }, options));
  egress
    .command('mode <tenant> <mode>')
    .description(
      'deny-private: the public Internet. allowlist: the targets allowed here alone. default: what GATEWRIGHT_EGRESS says.',
    )
    .option('--json', 'print JSON')
    .action((tenant: string, mode: string, options: Options) => ask('egress-mode', { tenant, mode }, options));
  egress
    .command('allow <tenant> <host:port>')
    .description('Allow a target. A public one counts in the mode allowlist; private addresses need --intranet.')
    .option('--intranet', 'a target on a private network: the server connects, and passes the bytes on')
    .option('--json', 'print JSON')
    .action((tenant: string, target: string, { intranet, ...options }: Options) =>
      ask('egress-allow', { tenant, target, intranet: intranet === true }, options),
    );
  egress
    .command('remove <tenant> <host:port>')
    .description('Take a target away again.')
    .option('--json', 'print JSON')
    .action((tenant: string, target: string, options: Options) => ask('egress-remove', { tenant, target }, options));
  return egress;
}

interface Options {
  readonly json?: boolean;
  readonly intranet?: boolean;
}

async function ask(verb: string, input: Input, { json }: Options): Promise<void> {
  const answer = await callServer(dataFolder(), verb, input);
  process.stdout.write(`${json ? JSON.stringify(answer, null, 2) : describe(answer)}\n`);
}

function describe({ tenant, mode, is_default_mode, hosts, intranet }: Input): string {
  const list = (values: unknown) => (Array.isArray(values) && values.length > 0 ? values.join(', ') : 'none');
  return [
    `Code of the tenant '${tenant}' reaches ${mode === 'allowlist' ? 'the allowed hosts alone' : 'public addresses'} (${mode}${is_default_mode ? ', the default' : ''}).`,
    `Hosts:    ${list(hosts)}${mode === 'allowlist' ? '' : ' (they count in the mode allowlist)'}`,
    `Intranet: ${list(intranet)}`,
  ].join('\n');
}
