import { fileURLToPath } from 'node:url';
import type { Processes, RunningProcess } from './processes.ts';

/** What `gatewright tenant create --json` prints, as far as it is used here. */
export interface NewTenant {
  readonly tenant: string;
  readonly origin: string;
  readonly management: { readonly client_id: string; readonly client_secret: string; readonly audience: string };
  /** The directory that every tenant begins with. */
  readonly connection: string;
}

export interface Gatewright {
  readonly process: RunningProcess;
  /** All that the command prints, secrets included. */
  makeTenant(name: string): Promise<string>;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const COMMAND = fileURLToPath(new URL('../../../packages/server/bin/gatewright.mjs', import.meta.url));

/** `gatewright start` with an empty data folder, its own PostgreSQL included. */
export async function startGatewright(
  processes: Processes,
  { host, port, folder }: Place & { readonly folder: string },
): Promise<Gatewright> {
  const env = { GATEWRIGHT_DATA_DIR: folder, HOST: host, PORT: String(port), HTTPS_PORT: '0' };
  const running = await processes.start({ name: 'Gatewright', args: [COMMAND, 'start'], env, ready: 'Ready after' });
  return {
    process: running,
    makeTenant(name) {
      const args = [COMMAND, 'tenant', 'create', name, '--environment', 'development', '--json'];
      return processes.run({ name: 'gatewright tenant create', args, env });
    },
  };
}

interface TokenServiceOptions extends Place {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** A secret for each service that may ask. */
  readonly callers: Readonly<Record<string, string>>;
}

/** `gatewright token-service`: a process of its own, which knows the authorization server by HTTP alone. */
export function startTokenService(
  processes: Processes,
  name: string,
  options: TokenServiceOptions,
): Promise<RunningProcess> {
  return processes.start({
    name,
    args: [COMMAND, 'token-service'],
    env: {
      TOKEN_SERVICE_HOST: options.host,
      TOKEN_SERVICE_PORT: String(options.port),
      TOKEN_SERVICE_ISSUER: options.issuer,
      TOKEN_SERVICE_AUDIENCE: options.audience,
      TOKEN_SERVICE_CLIENT_ID: options.clientId,
      TOKEN_SERVICE_CLIENT_SECRET: options.clientSecret,
      TOKEN_SERVICE_CALLERS: JSON.stringify(options.callers),
      // All checks ask about tokens at once.
      TOKEN_SERVICE_RATE: '10000',
    },
    ready: 'listens at ',
  });
}
