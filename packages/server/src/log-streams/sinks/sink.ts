import type { Json } from '../../kit/json-values.ts';
import type { ConnectOut } from '../../outgoing/connect-out.ts';
import type { CallOut } from '../../outgoing/http-client.ts';
import { createFileSink } from './file/file-sink.ts';
import { createDatadogSink } from './posting/datadog-sink.ts';
import { createHttpSink } from './posting/http-sink.ts';
import { createOtlpSink } from './posting/otlp-sink.ts';
import { createSplunkSink } from './posting/splunk-sink.ts';
import { createSumoSink } from './posting/sumo-sink.ts';
import { createSyslogSink } from './syslog/syslog-sink.ts';

/** Auth0's types, and three of ours: file, syslog, otlp. */
export const STREAM_TYPES = [
  'http',
  'datadog',
  'splunk',
  'sumo',
  'eventbridge',
  'eventgrid',
  'segment',
  'mixpanel',
  'file',
  'syslog',
  'otlp',
] as const;

export type StreamType = (typeof STREAM_TYPES)[number];

/** One event as a stream sends it: the wire record, filtered and with personal data masked already. */
export interface StreamedEvent {
  readonly logId: string;
  readonly at: Date;
  readonly tenantId: string;
  readonly data: Json;
  /** `data` as text: made once, though it is measured before it is sent. */
  readonly json: string;
}

/**
 * What a failure asks for. retry: back off. hold: the operator's mistake (401, 403, 404, 400, a redirect, a refused
 * address), keep trying slowly. throttle: 429, 502, 504, with the wait that they named. gone: 410, pause at once.
 */
export type Verdict = 'retry' | 'hold' | 'throttle' | 'gone';

export type Delivery =
  | {
      readonly ok: true;
      readonly status?: number;
      /** For people: taken, but not quite as sent (records that an OTLP collector dropped). */
      readonly note?: string;
    }
  | {
      readonly ok: false;
      readonly status?: number;
      /** For people, without secrets. */
      readonly problem: string;
      /** What came back, at most 1 kB, without the secrets that were sent. */
      readonly body?: string;
      readonly verdict: Verdict;
      /** At most an hour. */
      readonly retryAfterMilliseconds?: number;
    };

export interface Attempt {
  readonly number: number;
  readonly isReplay: boolean;
  readonly signal: AbortSignal;
}

/** Never throws but for a fault of ours: what can go wrong outside is a Delivery. */
export interface Sink {
  /** What one send takes. JSONOBJECT: 1 event. */
  readonly mostEvents: number;
  readonly mostBytes: number;
  /** Sends at once, at most. 1 where order on one connection matters (file, syslog). */
  readonly mostInFlight: number;
  send(events: readonly StreamedEvent[], attempt: Attempt): Promise<Delivery>;
  close(): Promise<void>;
}

/** The stream's `sink` under its wire names, secrets unsealed; each sink reads its own members (check-settings.ts bounds them). */
export type SinkSettings = Json;

export interface SinkParts {
  readonly tenantId: string;
  readonly streamId: string;
  readonly callOut: CallOut;
  readonly connectOut: ConnectOut;
  readonly now: () => Date;
  /** Development tenants only. */
  readonly mayReachLoopback: boolean;
  /** Where file streams write, each in a folder of its own: the operator's choice, never a tenant's. */
  readonly folder: string;
  /** What file streams leave of its disk; half a gigabyte unless said otherwise. */
  readonly leastFreeBytes?: number | undefined;
  /** `whsec_…` of Standard Webhooks, newest first: two while they are rotated, none unless the stream has any. */
  readonly signingSecrets: readonly string[];
  /** In place of Datadog's own address, where the operator says so. */
  readonly datadogAddress?: string | undefined;
  /** For a whole send; 15 s unless said otherwise. */
  readonly timeoutMilliseconds?: number | undefined;
}

export type CreateSink = (settings: SinkSettings, parts: SinkParts) => Sink;

/** undefined: stored for Auth0's tools, and refused with a clear message when it is to be active. */
export const SINKS: Readonly<Record<StreamType, CreateSink | undefined>> = {
  http: createHttpSink,
  datadog: createDatadogSink,
  splunk: createSplunkSink,
  sumo: createSumoSink,
  eventbridge: undefined,
  eventgrid: undefined,
  segment: undefined,
  mixpanel: undefined,
  file: createFileSink,
  syslog: createSyslogSink,
  otlp: createOtlpSink,
};
