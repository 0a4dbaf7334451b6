import { Command } from 'commander';
import description from '../package.json' with { type: 'json' };
import { actionsCommand } from './cli/actions-command.ts';
import { adminCommand } from './cli/admin-command.ts';
import { backupCommand } from './cli/backup-command.ts';
import { binCommand } from './cli/bin-command.ts';
import { cronCommand } from './cli/cron-command.ts';
import { egressCommand } from './cli/egress-command.ts';
import { exportLogsCommand } from './cli/export-logs-command.ts';
import { firstRunCommand } from './cli/first-run-command.ts';
import { keysCommand } from './cli/keys-command.ts';
import { logsCommand } from './cli/logs-command.ts';
import { mailsCommand } from './cli/mails-command.ts';
import { modulesCommand } from './cli/modules-command.ts';
import { restoreCommand } from './cli/restore-command.ts';
import { rulesCommand } from './cli/rules-command.ts';
import { scriptsCommand } from './cli/scripts-command.ts';
import { startCommand } from './cli/start-command.ts';
import { tenantCommand } from './cli/tenant-command.ts';
import { tokenServiceCommand } from './cli/token-service-command.ts';
import { ConfigError } from './config.ts';
import { CommandError } from './control/control-client.ts';
import { DeclaredError } from './kit/errors.ts';

/** `gatewright <verb>`: a file each under cli/. */
const program = new Command('gatewright')
  .description("An identity platform that you run yourself and that speaks Auth0's wire protocols.")
  .version(description.version, '--version', 'print the version')
  .showHelpAfterError()
  .addCommand(startCommand())
  .addCommand(tenantCommand())
  .addCommand(firstRunCommand())
  .addCommand(mailsCommand())
  .addCommand(logsCommand())
  .addCommand(exportLogsCommand())
  .addCommand(cronCommand())
  .addCommand(binCommand())
  .addCommand(tokenServiceCommand())
  .addCommand(egressCommand())
  .addCommand(modulesCommand())
  .addCommand(rulesCommand())
  .addCommand(actionsCommand())
  .addCommand(scriptsCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(keysCommand())
  .addCommand(adminCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const isForPeople = error instanceof CommandError || error instanceof ConfigError || error instanceof DeclaredError;
  process.stderr.write(`gatewright: ${isForPeople ? error.message : explain(error)}\n`);
  process.exitCode = 1;
}

/** The message, and its cause's where that says more; the stack where GATEWRIGHT_DEBUG asks for it. */
function explain(error: Error): string {
  if (process.env.GATEWRIGHT_DEBUG) return error.stack ?? error.message;
  const { message, cause } = error;
  if (!(cause instanceof Error) || message.includes(cause.message)) return message;
  const isNamed = 'code' in cause && message.includes(`(${cause.code})`);
  return isNamed ? message : `${message}\n  because: ${cause.message}`;
}
