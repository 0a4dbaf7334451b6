import type { Dispatcher } from 'undici';
import { OutgoingError } from './outgoing-error.ts';

interface Exchange {
  readonly dispatcher: Dispatcher;
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | undefined;
  /** For all of it. */
  readonly timeoutMilliseconds: number;
  readonly mostBytes: number;
  /** Of a body that is longer, compressed, slow or torn, what came of it is given, and nothing fails. */
  readonly cutsBody: boolean;
  readonly signal: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  /** Names in lower case; of repeated ones the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** For a body that nobody needs, once its status is known. */
const REST_MILLISECONDS = 2_000;

/**
 * One request and its answer. It speaks to undici's dispatcher itself, since request() makes a stream of each body and listens
 * to a signal for each call: a fifth more CPU for each event that a stream delivers. No redirect is followed and nothing decompressed.
 */
export function exchange(parts: Exchange): Promise<Answer> {
  const { dispatcher, url, signal, mostBytes, cutsBody } = parts;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let head: Omit<Answer, 'body'> | undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    const late = () => fail(new OutgoingError('timeout'));
    let timer = setTimeout(late, parts.timeoutMilliseconds);
    if (signal?.aborted) return late();
    signal?.addEventListener('abort', late);

    /** What is not read goes with its connection. */
    function end(isTorn: boolean): void {
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', late);
      if (isTorn) controller?.abort(new OutgoingError('network'));
    }

    function fail(error: OutgoingError): void {
      if (isOver) return;
      if (cutsBody && head !== undefined) succeed(head, true);
      else {
        end(true);
        reject(error);
      }
    }

    function succeed(known: Omit<Answer, 'body'>, isTorn: boolean): void {
      if (isOver) return;
      end(isTorn);
      resolve({ ...known, body: Buffer.concat(chunks) });
    }

    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: parts.method,
        headers: parts.headers,
        ...(parts.body !== undefined && { body: parts.body }),
      },
      {
        onRequestStart(started) {
          controller = started;
          // It may have waited for its connection for as long as it had.
          if (isOver) started.abort(new OutgoingError('timeout'));
        },
        onResponseStart(_controller, status, given) {
          if (status < 200 || isOver) return;
          const headers = firstOfEach(given);
          head = { status, headers };
          if (cutsBody) {
            clearTimeout(timer);
            timer = setTimeout(late, Math.min(parts.timeoutMilliseconds, REST_MILLISECONDS));
            return;
          }
          if (!['identity', '', undefined].includes(headers['content-encoding'])) fail(new OutgoingError('encoded'));
          else if (Number(headers['content-length'] ?? 0) > mostBytes) fail(new OutgoingError('too-large'));
        },
        onResponseData(_controller, chunk) {
          if (isOver) return;
          const room = mostBytes - size;
          size += chunk.length;
          if (size <= mostBytes) chunks.push(chunk);
          else if (cutsBody) chunks.push(chunk.subarray(0, room));
          if (size > mostBytes) fail(new OutgoingError('too-large'));
        },
        onResponseEnd() {
          if (head !== undefined) succeed(head, false);
        },
        onResponseError(_controller, error) {
          fail(asOutgoingError(error));
        },
      },
    );
  });
}

function firstOfEach(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const first: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined) first[name] = text;
  }
  return first;
}

function asOutgoingError(error: Error): OutgoingError {
  if (error instanceof OutgoingError) return error;
  return new OutgoingError(/Timeout/.test(error.name) ? 'timeout' : 'network');
}
