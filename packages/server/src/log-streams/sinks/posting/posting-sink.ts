import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { maskSecretText } from '../../../logs/masking/mask-secret-text.ts';
import { storableText } from '../../../logs/masking/storable-text.ts';
import { failureOf, failureWithoutAnswer } from '../judge-answer.ts';
import type { Attempt, Delivery, Sink, SinkParts, StreamedEvent } from '../sink.ts';

/** One POST. */
export interface Posting {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Shape {
  readonly mostEvents: number;
  readonly mostInFlight: number;
  readonly compose: (events: readonly StreamedEvent[], attempt: Attempt) => Posting;
  /** What a receiver must not be shown with, should it send it back. */
  readonly secrets: readonly string[];
  /** Only where the receiver is documented to take it. */
  readonly gzips?: boolean;
  readonly acceptsAnyCertificate?: boolean;
  /** What the body of a success says that somebody should know. */
  readonly noteOf?: (body: string) => string | undefined;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MOST_BYTES = 1_000_000;
/** More is not read: the answer's connection is closed instead. */
const MOST_READ = 65_536;
const MOST_KEPT = 1_000;
const WORTH_ZIPPING = 1_024;
const zip = promisify(gzip);

/** A sink that sends with HTTP. Whatever the answer does, an attempt ends in time and keeps no more than a thousand characters of it. */
export function createPostingSink(parts: SinkParts, shape: Shape): Sink {
  async function send(events: readonly StreamedEvent[], attempt: Attempt): Promise<Delivery> {
    const { url, headers, body } = shape.compose(events, attempt);
    const isZipped = shape.gzips === true && body.length >= WORTH_ZIPPING;
    try {
      const answer = await parts.callOut({
        url,
        method: 'POST',
        headers: isZipped ? { ...headers, 'content-encoding': 'gzip' } : headers,
        body: isZipped ? await zip(body, { level: 1 }) : body,
        mayReachLoopback: parts.mayReachLoopback,
        timeoutMilliseconds: parts.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
        mostBytes: MOST_READ,
        cutsBody: true,
        signal: attempt.signal,
        ...(shape.acceptsAnyCertificate && { acceptsAnyCertificate: true }),
      });
      const failure = failureOf(answer.status, answer.headers, parts.now());
      // A body that came compressed, unasked, is not unpacked.
      const text = answer.headers['content-encoding'] ? '' : answer.body.toString();
      if (failure !== undefined) return { ...failure, ...(text !== '' && { body: shown(text) }) };
      const note = shape.noteOf?.(text);
      return { ok: true, status: answer.status, ...(note !== undefined && { note: shown(note) }) };
    } catch (error) {
      return failureWithoutAnswer(error, attempt.signal);
    }
  }

  /** Receivers repeat what they were sent. */
  function shown(text: string): string {
    let masked = text;
    for (const secret of shape.secrets.filter(({ length }) => length > 3)) {
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())])
        masked = masked.replaceAll(form, '*****');
    }
    return storableText(maskSecretText(masked).slice(0, MOST_KEPT), MOST_KEPT);
  }

  return {
    mostEvents: shape.mostEvents,
    mostBytes: MOST_BYTES,
    mostInFlight: shape.mostInFlight,
    send,
    close: async () => undefined,
  };
}

/** Auth0's unit of every stream. */
export function unitOf({ logId, json }: StreamedEvent): string {
  return `{"log_id":"${logId}","data":${json}}`;
}
