import { defineErrors } from '../kit/errors.ts';
import type { Json } from '../kit/json-values.ts';
import type { PersonalDataSettings } from './personal-data/mask-personal-data.ts';
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
  /** Under its wire names, secrets included. Undefined where it can't be decrypted. */
  readonly sink: Json | undefined;
  readonly signingSecrets: readonly SigningSecret[];
  /** What can't be decrypted any more, since the installation's key was lost or the row is damaged: nothing is sent. */
  readonly damage: StreamDamage | undefined;
  readonly version: string;
}

export type StreamDamage = 'sink' | 'signing secrets';

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
  'httpCustomHeaders',
  'otlpHeaders',
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
  damaged: { status: 400, code: 'operation_not_supported', message: '{problem}' },
  tooManyTests: {
    status: 429,
    code: 'too_many_requests',
    message: 'Tests of log streams are under way already: wait for their answers.',
  },
  replayRuns: { status: 409, code: 'replay_running', message: 'A replay of this log stream is under way already.' },
});

/** In words for the tenant. */
export const DAMAGES: Readonly<Record<StreamDamage, string>> = {
  sink: "The stream's sink could not be decrypted any more: enter the whole sink again, with the status active.",
  'signing secrets':
    "The stream's signing keys could not be decrypted any more: POST …/rotate-secret makes a new one, then activate the stream.",
};

/** The keys that sign at this moment, newest first. */
export function signingSecretsAt(secrets: readonly SigningSecret[], now: Date): string[] {
  return secrets.filter(({ until }) => until === undefined || new Date(until) > now).map(({ secret }) => secret);
}
