import { lookup } from 'node:dns/promises';
import { Agent } from 'undici';
import { createAddressPolicy } from './address-policy.ts';
import { type ConnectOut, createConnectOut } from './connect-out.ts';
import { exchange } from './exchange.ts';
import { createGuardedConnect, type ResolveHost } from './guarded-connect.ts';
import { OutgoingError } from './outgoing-error.ts';

export interface OutgoingRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** True for development tenants: their services run on the same machine. */
  readonly mayReachLoopback?: boolean;
  /** For the whole call, from the name's look-up to the last byte. */
  readonly timeoutMilliseconds?: number;
  readonly mostBytes?: number;
  /**
   * The status says it all: of a body that is longer, compressed, slow or torn, what came of it is given, and the call
   * does not fail.
   */
  readonly cutsBody?: boolean;
  /** Ends the call before its time. */
  readonly signal?: AbortSignal;
  /** https without a look at the certificate. The address is looked at all the same. */
  readonly acceptsAnyCertificate?: boolean;
}

export interface OutgoingResponse {
  readonly status: number;
  /** Names in lower case; of repeated ones the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One call to an address that a tenant chose. Throws OutgoingError; any status is an answer, a redirect's too. */
export type CallOut = (call: OutgoingRequest) => Promise<OutgoingResponse>;

interface Parts {
  /** GATEWRIGHT_OUTGOING_ALLOW */
  readonly allowed: readonly string[];
  readonly resolve?: ResolveHost;
  /** To one origin at a time. */
  readonly connections?: number;
}

const TIMEOUT = 10_000;
const MOST_BYTES = 1_048_576;
const MOST_HEADER_BYTES = 16_384;
const LONGEST_URL = 4_096;
const CONNECTIONS = 20;
const CONNECT_MILLISECONDS = 5_000;

export interface Outgoing {
  readonly callOut: CallOut;
  readonly connectOut: ConnectOut;
  stop(): Promise<void>;
}

/** The one way out: everything that the server calls goes through here (attack E1). Decision 0017. */
export function createOutgoing({ allowed, resolve = resolveHost, connections = CONNECTIONS }: Parts): Outgoing {
  const policies = {
    strict: createAddressPolicy({ loopback: false, allowed }),
    local: createAddressPolicy({ loopback: true, allowed }),
  };
  const agents = new Map<string, Agent>();

  /** A connection that is kept was checked under the rules of its agent. */
  function agentFor({ mayReachLoopback = false, acceptsAnyCertificate = false }: OutgoingRequest): Agent {
    const rules = `${mayReachLoopback} ${acceptsAnyCertificate}`;
    const known = agents.get(rules);
    if (known) return known;
    const policy = mayReachLoopback ? policies.local : policies.strict;
    const agent = new Agent({
      connect: createGuardedConnect({ policy, resolve, timeout: CONNECT_MILLISECONDS, acceptsAnyCertificate }),
      maxHeaderSize: MOST_HEADER_BYTES,
      keepAliveTimeout: 4_000,
      connections,
      pipelining: 1,
    });
    agents.set(rules, agent);
    return agent;
  }

  async function callOut(call: OutgoingRequest): Promise<OutgoingResponse> {
    return exchange({
      dispatcher: agentFor(call),
      url: checkedUrl(call.url),
      method: call.method ?? 'GET',
      headers: { 'user-agent': 'Gatewright', 'accept-encoding': 'identity', ...call.headers },
      body: call.body,
      timeoutMilliseconds: call.timeoutMilliseconds ?? TIMEOUT,
      mostBytes: call.mostBytes ?? MOST_BYTES,
      cutsBody: call.cutsBody ?? false,
      signal: call.signal,
    });
  }

  return {
    callOut,
    connectOut: createConnectOut({ policies, resolve, timeout: CONNECT_MILLISECONDS }),
    stop: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

function checkedUrl(text: string): URL {
  if (text.length > LONGEST_URL || !URL.canParse(text)) throw new OutgoingError('url');
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  if (!isWeb || url.username !== '' || url.password !== '') throw new OutgoingError('url');
  return url;
}

/** The machine's own resolver, hosts file included: all addresses, in its order. */
const resolveHost: ResolveHost = (hostname) => lookup(hostname, { all: true, verbatim: true });
