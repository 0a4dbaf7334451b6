import { once } from 'node:events';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { readConfig } from '../config.ts';
import { CommandError } from '../control/control-client.ts';
import { createLog } from '../kit/log.ts';
import { trustAuthority } from '../log-export/trust-authority.ts';
import {
  type GivenServiceSettings,
  readServiceSettings,
  SERVICE_SETTINGS,
  type ServiceSetting,
  serviceSettingNames,
} from '../token-service/service-settings.ts';
import { dataFolder } from './data-folder.ts';

type Options = Readonly<Record<string, unknown>>;

/** Every user of the machine sees the options of a process. */
const ENVIRONMENT_ALONE: ReadonlySet<ServiceSetting> = new Set([
  'TOKEN_SERVICE_CLIENT_SECRET',
  'TOKEN_SERVICE_CALLERS',
  'TOKEN_SERVICE_METRICS_TOKEN',
]);
const DEADLINE_MILLISECONDS = 9_500;

/** `gatewright token-service` */
export function tokenServiceCommand(): Command {
  const secrets = [...ENVIRONMENT_ALONE].map((name) => `  ${name}: ${SERVICE_SETTINGS[name]}`);
  const command = new Command('token-service')
    .description(
      'Answer the services of a company whether an access token is good now: POST /token/verify. It asks the authorization server, Gatewright ' +
        'or another one, so that services hold no client secret; they cache the answer (@gatewright/api-guard). Settings come from the ' +
        'environment or from options. Needs no server here.',
    )
    .addHelpText('after', `\nFrom the environment alone:\n${secrets.join('\n')}`);
  for (const name of serviceSettingNames)
    if (!ENVIRONMENT_ALONE.has(name))
      command.addOption(new Option(`${flagOf(name)} <${placeholderOf(name)}>`, `${name}: ${SERVICE_SETTINGS[name]}`));
  return command.action(run);
}

async function run(options: Options): Promise<void> {
  const settings = readServiceSettings(givenSettings(options));
  const { LOG_FORMAT } = process.env;
  const log = createLog(readConfig(LOG_FORMAT ? { LOG_FORMAT } : {}).logFormat);
  for (const note of settings.notes) log.warn(note);
  // Of the server of this data folder, where there is one.
  trustAuthority(join(dataFolder(), 'tls', 'ca.pem'));
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) return;
      log.info('Stopping: requests under way may finish.');
      setTimeout(() => process.exit(0), DEADLINE_MILLISECONDS).unref();
      stopping.abort();
    });
  const { startTokenService } = await import('../token-service/token-service.ts');
  const service = await startTokenService({ settings, log }).catch((cause: Error) => {
    throw new CommandError(`The token service can't start: ${wordsOf(cause)}`);
  });
  log.info(`The token service listens at ${service.origin}; tokens of ${settings.issuer}. Stop with Ctrl+C.`);
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  await service.stop();
  log.info('Stopped.');
}

/** What is shared with the server names the server's settings. */
function wordsOf({ message }: Error): string {
  return message
    .replaceAll('PORT and HTTPS_PORT', 'TOKEN_SERVICE_PORT')
    .replaceAll(/\b(HOST|TLS_CERT_FILE|TLS_KEY_FILE)\b/g, 'TOKEN_SERVICE_$1');
}

function givenSettings(options: Options): GivenServiceSettings {
  const values = serviceSettingNames.map((name) => [name, options[optionOf(name)] ?? process.env[name]]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

const shortOf = (name: ServiceSetting) => name.replace('TOKEN_SERVICE_', '').toLowerCase();
const flagOf = (name: ServiceSetting) => `--${shortOf(name).replaceAll('_', '-')}`;
const placeholderOf = (name: ServiceSetting) => (name.split('_').at(-1) ?? '').toLowerCase();
/** As commander calls it: tlsCertFile. */
const optionOf = (name: ServiceSetting) =>
  shortOf(name).replace(/_(\w)/g, (_whole, letter: string) => letter.toUpperCase());
