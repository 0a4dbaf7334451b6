import { OutgoingError } from '../../outgoing/outgoing-error.ts';
import type { Delivery, Verdict } from './sink.ts';

type Failure = Extract<Delivery, { ok: false }>;
type Headers = Readonly<Record<string, string>>;

const LONGEST_WAIT = 3_600_000;
/** The receiver is busy (Standard Webhooks 1.0.0): less at a time, after the wait that it names. */
const BUSY = new Set([429, 502, 504]);
/** Of the 4xx, those that say nothing of the request itself. */
const PASSING = new Set([408, 425]);

/** What a status says of the delivery; only 2xx is one, and a redirect is a wrong address. Undefined: delivered. */
export function failureOf(status: number, headers: Headers, now: Date): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const wait = retryAfterOf(headers['retry-after'], now);
  return {
    ok: false,
    status,
    verdict: verdictOf(status),
    problem:
      status >= 300 && status < 400
        ? `The receiver answered with a redirect (${status}), which is not followed.`
        : `The receiver answered with the status ${status}.`,
    ...(wait !== undefined && { retryAfterMilliseconds: wait }),
  };
}

function verdictOf(status: number): Verdict {
  if (status === 410) return 'gone';
  if (BUSY.has(status)) return 'throttle';
  return status >= 300 && status < 500 && !PASSING.has(status) ? 'hold' : 'retry';
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterOf(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const isDate = /^[A-Z][a-z]+,? /.test(value);
  const wait = /^\d{1,9}$/.test(value)
    ? Number(value) * 1_000
    : isDate
      ? Date.parse(value) - now.getTime()
      : Number.NaN;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_WAIT);
}

/** What went wrong before there was an answer. Errors that are none of these are faults of ours. */
export function failureWithoutAnswer(error: unknown, { aborted }: AbortSignal): Failure {
  if (aborted) return { ok: false, verdict: 'retry', problem: 'The attempt was stopped.' };
  if (!(error instanceof OutgoingError)) throw error;
  const isMistake = error.fault === 'address' || error.fault === 'url';
  return { ok: false, verdict: isMistake ? 'hold' : 'retry', problem: error.message };
}
