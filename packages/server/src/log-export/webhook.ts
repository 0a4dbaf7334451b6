import type { CallOut } from '../outgoing/http-client.ts';
import { OutgoingError } from '../outgoing/outgoing-error.ts';
import type { ExportSettings } from './export-settings.ts';
import { type LogRecord, toPayload } from './log-record.ts';

/** Sends one event; says in words why it did not arrive. */
export type DeliverEvent = (record: LogRecord) => Promise<string | undefined>;

interface Parts {
  readonly settings: Pick<ExportSettings, 'webhookUrl' | 'success'>;
  readonly callOut: CallOut;
  readonly mayReachLoopback: boolean;
}

/** Connect, send and answer together. */
const TIMEOUT = 15_000;
const MOST_BYTES = 65_536;
const MOST_WORDS = 200;

/**
 * One POST an event. `webhook-id` is the same at each attempt: receivers know a repetition by it. Redirects are not
 * followed, and are no success.
 */
export function createWebhook({ settings, callOut, mayReachLoopback }: Parts): DeliverEvent {
  const { webhookUrl, success } = settings;
  const isSuccess = (status: number) => (success === '200' ? status === 200 : status >= 200 && status < 300);

  return async (record) => {
    try {
      const { status, body } = await callOut({
        url: webhookUrl,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': record.id,
          'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        },
        body: JSON.stringify(toPayload(record)),
        mayReachLoopback,
        timeoutMilliseconds: TIMEOUT,
        mostBytes: MOST_BYTES,
        cutsBody: true,
      });
      return isSuccess(status) ? undefined : `the webhook answered ${status}${wordsOf(status, body)}`;
    } catch (cause) {
      if (cause instanceof OutgoingError) return explain(cause);
      throw cause;
    }
  };
}

function wordsOf(status: number, body: Buffer): string {
  if (status >= 300 && status < 400) return ' (redirects are not followed)';
  const words = body
    .toString('utf8', 0, 4 * MOST_WORDS)
    .replace(/\s+/g, ' ')
    .trim();
  return words === '' ? '' : `: ${words.slice(0, MOST_WORDS).replace(/\.$/, '')}`;
}

function explain({ fault, message }: OutgoingError): string {
  if (fault === 'address')
    return 'WEBHOOK_URL leads to a private network: name its address or network in WEBHOOK_ALLOW if that is meant';
  return `WEBHOOK_URL: ${message.replace(/\.$/, '')}`;
}
