import { lookup } from 'node:dns/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { createAddressPolicy } from './address-policy.ts';
import { createGuardedConnect, type ResolveHost } from './guarded-connect.ts';
import { OutgoingError } from './outgoing-error.ts';

export interface OutgoingRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** True for development tenants: their services run on the same machine. */
  readonly mayReachLoopback?: boolean;
  /** For the whole call, from the name's look-up to the last byte. */
  readonly timeoutMilliseconds?: number;
  readonly mostBytes?: number;
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
}

const TIMEOUT = 10_000;
const MOST_BYTES = 1_048_576;
const MOST_HEADER_BYTES = 16_384;
const LONGEST_URL = 4_096;

export interface Outgoing {
  readonly callOut: CallOut;
  stop(): Promise<void>;
}

/** The one way out: everything that the server calls over HTTP goes through here (attack E1). Decision 0017. */
export function createOutgoing({ allowed, resolve = resolveHost }: Parts): Outgoing {
  const strict = createAgent(false);
  const local = createAgent(true);

  // A connection that is kept was checked under the rules of its agent.
  function createAgent(loopback: boolean): Agent {
    const policy = createAddressPolicy({ loopback, allowed });
    return new Agent({
      connect: createGuardedConnect({ policy, resolve, timeout: 5_000 }),
      maxHeaderSize: MOST_HEADER_BYTES,
      keepAliveTimeout: 4_000,
      connections: 20,
      pipelining: 1,
    });
  }

  async function callOut(call: OutgoingRequest): Promise<OutgoingResponse> {
    const url = checkedUrl(call.url);
    const signal = AbortSignal.timeout(call.timeoutMilliseconds ?? TIMEOUT);
    try {
      // request() follows no redirect and decompresses nothing.
      const response = await request(url, {
        dispatcher: call.mayReachLoopback ? local : strict,
        method: call.method ?? 'GET',
        headers: { 'user-agent': 'Gatewright', 'accept-encoding': 'identity', ...call.headers },
        signal,
        ...(call.body !== undefined && { body: call.body }),
      });
      const headers = flattened(response.headers);
      const body = await readBounded(response, headers, call.mostBytes ?? MOST_BYTES);
      return { status: response.statusCode, headers, body };
    } catch (error) {
      throw asOutgoingError(error, signal);
    }
  }

  return {
    callOut,
    stop: async () => {
      await Promise.all([strict.destroy(), local.destroy()]);
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

async function readBounded(
  { body }: Dispatcher.ResponseData,
  headers: Readonly<Record<string, string>>,
  mostBytes: number,
): Promise<Buffer> {
  try {
    if (!['identity', '', undefined].includes(headers['content-encoding'])) throw new OutgoingError('encoded');
    if (Number(headers['content-length'] ?? 0) > mostBytes) throw new OutgoingError('too-large');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > mostBytes) throw new OutgoingError('too-large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    // The rest is not read: the connection goes with it.
    body.on('error', () => undefined).destroy();
    throw error;
  }
}

function flattened(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name.toLowerCase(), first]];
    }),
  );
}

function asOutgoingError(error: unknown, { aborted }: AbortSignal): OutgoingError {
  if (error instanceof OutgoingError) return error;
  if (aborted || (error instanceof Error && /Timeout/.test(error.name))) return new OutgoingError('timeout');
  return new OutgoingError('network');
}

/** The machine's own resolver, hosts file included: all addresses, in its order. */
const resolveHost: ResolveHost = (hostname) => lookup(hostname, { all: true, verbatim: true });
