import { createHmac, randomBytes } from 'node:crypto';

/** What is sent once: the body, and the events in it. */
export interface SignedDelivery {
  /** The first event's log_id. */
  readonly firstLogId: string;
  readonly count: number;
  readonly body: string;
  readonly at: Date;
  readonly isReplay: boolean;
}

const PREFIX = 'whsec_';
const KEY_BYTES = 32;

/**
 * The headers of Standard Webhooks 1.0.0. The id is the same at each attempt with the same events, so that a receiver can
 * tell repetitions; the time is the attempt's. While the secret is rotated, both sign.
 */
export function signDelivery(secrets: readonly string[], delivery: SignedDelivery): Record<string, string> {
  const { firstLogId, count, body, at, isReplay } = delivery;
  const id = count === 1 ? firstLogId : `${firstLogId}-${count}`;
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = secrets.map((secret) => `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
    ...(isReplay && { 'webhook-replay': 'true' }),
  };
}

/** A new key, in the form in which its receiver is given it. */
export function newSigningSecret(): string {
  return PREFIX + randomBytes(KEY_BYTES).toString('base64');
}

function signatureOf(secret: string, text: string): string {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  return createHmac('sha256', key).update(text).digest('base64');
}
