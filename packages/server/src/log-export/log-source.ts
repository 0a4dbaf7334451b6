import { setTimeout as sleepFor } from 'node:timers/promises';
import { objectOf, textOf } from '../kit/json-values.ts';
import type { CallOut, OutgoingRequest, OutgoingResponse } from '../outgoing/http-client.ts';
import { OutgoingError } from '../outgoing/outgoing-error.ts';
import { ExportError } from './export-error.ts';
import type { ExportSettings } from './export-settings.ts';
import { type LogRecord, parseRecord } from './log-record.ts';

export interface LogSource {
  /** The next events behind a checkpoint, or the oldest ones; none where there is no more. */
  read(from: string | undefined, take: number): Promise<readonly LogRecord[]>;
}

interface Parts {
  readonly settings: Pick<ExportSettings, 'origin' | 'audience' | 'clientId' | 'clientSecret'>;
  readonly callOut: CallOut;
  readonly now: () => number;
  /** Told of a wait that takes longer than usual. */
  readonly onWait: (words: string) => void;
  readonly signal: AbortSignal;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

const TIMEOUT = 30_000;
/** A hundred records of a third of a megabyte. */
const MOST_BYTES = 33_554_432;
const ATTEMPTS = 4;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 60_000;
/** A token is renewed before it ends within a request. */
const TOKEN_MARGIN = 60_000;

/** The Management API of a tenant, ours or Auth0's: client credentials, /api/v2/logs, its rate limit. */
export function createLogSource({ settings, callOut, now, onWait, signal, sleep = pause }: Parts): LogSource {
  const { origin, audience, clientId, clientSecret } = settings;
  let token: { readonly value: string; readonly endsAt: number } | undefined;
  /** Until then the rate limit leaves us nothing. */
  let closedUntil = 0;

  async function read(from: string | undefined, take: number): Promise<readonly LogRecord[]> {
    // Servers that know a checkpoint without `from` begin with the oldest; Auth0 searches, as its old extensions asked it to.
    const query =
      from === undefined
        ? `per_page=${take}&page=0&sort=date:1&take=${take}`
        : `from=${encodeURIComponent(from)}&take=${take}`;
    const answer = await readOnce(query);
    if (answer.status !== 200) throw new ExportError(refusalOf(answer, from));
    const values: unknown = parse(answer, 'GET /api/v2/logs');
    if (!Array.isArray(values))
      throw new ExportError(`GET /api/v2/logs at ${origin} did not answer with a list of events.`);
    return values.map((value) => {
      const record = parseRecord(value);
      if (!record) throw new ExportError(`GET /api/v2/logs at ${origin} answered an event without an id.`);
      return record;
    });
  }

  async function readOnce(query: string): Promise<OutgoingResponse> {
    const ask = async () =>
      send({ url: `${origin}/api/v2/logs?${query}`, headers: { authorization: `Bearer ${await bearer()}` } });
    let answer = await ask();
    if (answer.status === 401) {
      // Revoked, or its key was rotated away: a new one decides.
      token = undefined;
      answer = await ask();
    }
    return answer;
  }

  function refusalOf(answer: OutgoingResponse, from: string | undefined): string {
    const words = `GET /api/v2/logs at ${origin} answered ${answer.status}${wordsOf(answer)}.`;
    // Only its operator can tell whether events are missing then.
    return answer.status === 400 && from !== undefined
      ? `${words} The checkpoint ${from.slice(0, 100)} may be of another tenant, or too old: a new state file, or a job that is removed and scheduled again, begins with the oldest event.`
      : words;
  }

  async function bearer(): Promise<string> {
    if (token && token.endsAt > now()) return token.value;
    const answer = await send({
      url: `${origin}/oauth/token`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        audience,
      }),
    });
    const body = answer.status === 200 ? objectOf(parse(answer, 'POST /oauth/token')) : {};
    const value = textOf(body.access_token);
    if (value === undefined)
      throw new ExportError(`No token for ${audience} from ${origin}: it answered ${answer.status}${wordsOf(answer)}.`);
    const lasts = typeof body.expires_in === 'number' ? body.expires_in * 1000 : 0;
    token = { value, endsAt: now() + lasts - TOKEN_MARGIN };
    return value;
  }

  /** Asks again where that may help: no connection, a server that fails, a limit that opens again. */
  async function send(request: OutgoingRequest): Promise<OutgoingResponse> {
    for (let attempt = 1; ; attempt++) {
      if (closedUntil > now()) await waitFor(closedUntil - now(), 'The rate limit of the tenant is used up');
      const answer = await callOut({ ...request, timeoutMilliseconds: TIMEOUT, mostBytes: MOST_BYTES, signal }).catch(
        (cause) => {
          if (cause instanceof OutgoingError) return cause;
          throw cause;
        },
      );
      signal.throwIfAborted();
      const isLast = attempt === ATTEMPTS;
      if (answer instanceof OutgoingError) {
        if (isLast || answer.fault === 'too-large' || answer.fault === 'url')
          throw new ExportError(`${origin}: ${explain(answer)}.`);
        await waitFor(FIRST_PAUSE * 2 ** attempt, `${origin}: ${explain(answer)}`);
        continue;
      }
      noteLimit(answer, attempt);
      if (isLast || (answer.status !== 429 && answer.status < 500)) return answer;
      if (answer.status !== 429) await waitFor(FIRST_PAUSE * 2 ** attempt, `${origin} answered ${answer.status}`);
    }
  }

  /** x-ratelimit-reset is a time in seconds, retry-after a number of them. */
  function noteLimit({ status, headers }: OutgoingResponse, attempt: number): void {
    const remaining = numberIn(headers['x-ratelimit-remaining']);
    if (status !== 429 && (remaining === undefined || remaining > 0)) return;
    const reset = numberIn(headers['x-ratelimit-reset']);
    const seconds = numberIn(headers['retry-after']);
    const wait =
      seconds !== undefined ? seconds * 1000 : reset !== undefined ? reset * 1000 - now() : FIRST_PAUSE * 2 ** attempt;
    closedUntil = now() + Math.min(LONGEST_PAUSE, Math.max(status === 429 ? FIRST_PAUSE : 0, wait));
  }

  async function waitFor(milliseconds: number, reason: string): Promise<void> {
    onWait(`${reason}: waiting ${(milliseconds / 1000).toFixed(1)} s.`);
    await sleep(milliseconds, signal);
  }

  return { read };
}

function explain({ fault, message }: OutgoingError): string {
  if (fault === 'network') return 'no connection, or a certificate that is not trusted (NODE_EXTRA_CA_CERTS)';
  return message.replace(/\.$/, '');
}

function parse({ body }: OutgoingResponse, what: string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new ExportError(`${what} did not answer with JSON: is AUTH0_DOMAIN the tenant's?`);
  }
}

/** What OAuth or the Management API say of an error. */
function wordsOf({ body }: OutgoingResponse): string {
  try {
    const { error_description, message, error } = objectOf(JSON.parse(body.toString()));
    const words = textOf(error_description) ?? textOf(message) ?? textOf(error);
    return words ? `: ${words.slice(0, 300)}` : '';
  } catch {
    return '';
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const pause = (milliseconds: number, signal: AbortSignal) => sleepFor(milliseconds, undefined, { signal });
