import { lookup } from 'node:dns/promises';
import { listen } from '../http/listen.ts';
import type { Log } from '../kit/log.ts';
import { createOutgoing } from '../outgoing/http-client.ts';
import { createFileTls } from '../tls/file-tls.ts';
import { createAuthorizationServer } from './authorization-server.ts';
import { createCallerRates } from './caller-rates.ts';
import { createServiceMetrics } from './service-metrics.ts';
import { createServiceApp } from './service-routes.ts';
import type { ServiceSettings } from './service-settings.ts';
import { createTurns } from './turns.ts';
import { createTokenVerifier } from './verify-token.ts';

export interface TokenService {
  readonly origin: string;
  /** Takes no new request, lets those under way finish, and ends what is left after the deadline. */
  stop(deadlineMilliseconds?: number): Promise<void>;
}

interface Parts {
  readonly settings: ServiceSettings;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** For a question to the authorization server, waiting included. */
  readonly deadlineMilliseconds?: number;
}

/** The operator names the authorization server: it may be anywhere. */
const ANYWHERE = ['0.0.0.0/0', '::/0'];
const WAITING_PER_TURN = 20;
const DRAIN_MILLISECONDS = 9_000;

/** Answers services whether a token is good now. Its own process; it knows the authorization server by HTTP alone. */
export async function startTokenService({
  settings,
  log,
  now = Date.now,
  deadlineMilliseconds,
}: Parts): Promise<TokenService> {
  const { mostAtOnce, rate, tls: files, host, port } = settings;
  const turns = createTurns({ atOnce: mostAtOnce, waiting: mostAtOnce * WAITING_PER_TURN });
  const metrics = createServiceMetrics(turns);
  const outgoing = createOutgoing({ allowed: ANYWHERE, resolve, connections: mostAtOnce });
  const server = createAuthorizationServer({ settings, callOut: outgoing.callOut, observe: metrics.observeCall });
  let isStopping = false;
  const app = createServiceApp({
    settings,
    verify: createTokenVerifier({
      settings,
      server,
      turns,
      now,
      ...(deadlineMilliseconds !== undefined && { deadlineMilliseconds }),
    }),
    server,
    // Not the clock of the wall, which may jump.
    takeFromRate: createCallerRates({ rate, now: () => performance.now() }),
    metrics,
    log,
    isStopping: () => isStopping,
  });
  const tls = files && (await createFileTls({ ...files, log }));
  await app.ready();
  const listener = await listen({
    handler: (request, response) => app.routing(request, response),
    hosts: [host],
    port,
    ...(tls && { tls }),
  }).catch(async (error) => {
    tls?.close();
    await outgoing.stop();
    throw error;
  });
  return {
    origin: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    async stop(deadline = DRAIN_MILLISECONDS) {
      isStopping = true;
      await listener.close(deadline);
      await app.close();
      tls?.close();
      await outgoing.stop();
    },
  };
}

/** RFC 6761 section 6.3: names below localhost are this machine, also where its resolver does not know them. */
async function resolve(hostname: string) {
  if (/(^|\.)localhost$/i.test(hostname))
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
  return lookup(hostname, { all: true, verbatim: true });
}
