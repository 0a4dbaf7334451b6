import { defineErrors } from '../kit/errors.ts';
import type { Json } from '../kit/json-values.ts';
import type { PersonalDataSettings } from './mask-personal-data.ts';
import type { StreamFilter } from './select-events.ts';
import type { StreamType } from './sinks/sink.ts';

/** paused: by its operator. suspended: by us, after days of failure or because the receiver is gone; activating it goes on. */
export const STREAM_STATUSES = ['active', 'paused', 'suspended'] as const;
export type StreamStatus = (typeof STREAM_STATUSES)[number];

/** A receiver of a tenant's events. */
export interface LogStream {
  /** `lst_…` */
  readonly id: string;
  readonly name: string;
  readonly type: StreamType;
  readonly status: StreamStatus;
  readonly isPriority: boolean;
  readonly filters: readonly StreamFilter[];
  readonly piiConfig: PersonalDataSettings | undefined;
  /** Events that happened before are not sent. */
  readonly startFrom: Date | undefined;
  /** Under its wire names, secrets included. Undefined where the installation's key was lost. */
  readonly sink: Json | undefined;
  readonly signingSecrets: readonly SigningSecret[];
  readonly version: string;
}

/** A key of Standard Webhooks; the one before it signs as well until its time is over. */
export interface SigningSecret {
  /** `whsec_…` */
  readonly secret: string;
  /** ISO. The newest has none. */
  readonly until?: string | undefined;
}

export const MOST_STREAMS = 50;
export const LONGEST_NAME = 255;
export const MOST_FILTERS = 50;
export const MOST_DEAD_LETTERS = 1_000;

/** Secrets of sinks, which an answer carries: who reads them is an event. */
export const SINK_SECRETS = [
  'httpAuthorization',
  'datadogApiKey',
  'splunkToken',
  'segmentWriteKey',
  'sumoSourceAddress',
] as const;

export const logStreamErrors = defineErrors({
  notFound: { status: 404, message: 'The log stream does not exist.' },
  tooMany: { status: 403, code: 'too_many_entities', message: 'The limit of {limit} log streams was reached.' },
  cannotDeliver: {
    status: 400,
    code: 'operation_not_supported',
    message:
      "Log streams of the type '{type}' are stored and not delivered here: such a stream can't be active. Use http, datadog, splunk, sumo, syslog, otlp or file.",
  },
  sinkLost: {
    status: 400,
    code: 'operation_not_supported',
    message: "The stream's sink could not be decrypted any more: enter it again before you activate it.",
  },
  replayRuns: { status: 409, code: 'replay_running', message: 'A replay of this log stream is under way already.' },
});

/** The keys that sign at this moment, newest first. */
export function signingSecretsAt(secrets: readonly SigningSecret[], now: Date): string[] {
  return secrets.filter(({ until }) => until === undefined || new Date(until) > now).map(({ secret }) => secret);
}
