import type { Json } from '../kit/json-values.ts';
import { type LogRow, logIdOf, toWire } from '../logs/log-row.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type LogStream, signingSecretsAt } from './log-stream.ts';
import { createPersonalDataMask } from './personal-data/mask-personal-data.ts';
import { createEventSelection } from './select-events.ts';
import { SINKS, type Sink, type SinkParts, type StreamedEvent } from './sinks/sink.ts';

/** A stream as it is configured at one moment: what it wants, how an event looks in it, and where it goes. */
export interface Outlet {
  readonly version: string;
  /** As its tenant was. */
  readonly environment: Tenant['environment'];
  readonly sink: Sink;
  /** What it shares the limit of one host with. */
  readonly host: string;
  readonly isWanted: (row: LogRow) => boolean;
  readonly toEvent: (row: LogRow) => StreamedEvent;
  /** When one of its keys has had its time: then it is opened anew. */
  readonly until: Date | undefined;
}

export type OpenOutlet = (tenant: Tenant, stream: LogStream) => Promise<Outlet | undefined>;

/** What all sinks are made with: the way out, the clock, the operator's folder. */
export type OutletParts = Omit<SinkParts, 'tenantId' | 'streamId' | 'mayReachLoopback' | 'signingSecrets'>;

/** Undefined for what can't be delivered: a type without a sink, a sink that nobody can decrypt. */
export function createOutlets(parts: OutletParts): OpenOutlet {
  return async ({ tenantId, environment }, stream) => {
    const create = SINKS[stream.type];
    if (create === undefined || stream.sink === undefined || stream.damage) return undefined;
    const { now } = parts;
    const mask = await createPersonalDataMask(stream.piiConfig);
    const sink = create(stream.sink, {
      ...parts,
      tenantId,
      streamId: stream.id,
      mayReachLoopback: environment === 'development',
      signingSecrets: signingSecretsAt(stream.signingSecrets, now()),
    });
    const isSelected = createEventSelection(stream.filters);
    const { startFrom } = stream;
    return {
      version: stream.version,
      environment,
      sink,
      host: hostOf(stream.type, stream.sink),
      isWanted: (row) => isSelected(row.type) && (startFrom === undefined || row.at >= startFrom),
      toEvent(row) {
        const data = mask(toWire(row));
        return { logId: logIdOf(row), at: row.at, tenantId, data, json: JSON.stringify(data) };
      },
      until: soonest(
        stream.signingSecrets.map(({ until }) => until && new Date(until)),
        now(),
      ),
    };
  };
}

const ADDRESSES = ['httpEndpoint', 'otlpEndpoint', 'sumoSourceAddress', 'splunkDomain', 'syslogHost', 'datadogRegion'];

function hostOf(type: string, sink: Json): string {
  const address = ADDRESSES.map((name) => sink[name]).find((value) => typeof value === 'string');
  const text = String(address ?? type);
  return URL.canParse(text) ? new URL(text).host : text;
}

function soonest(times: readonly (Date | '' | undefined)[], now: Date): Date | undefined {
  const coming = times.filter((time): time is Date => time instanceof Date && time > now);
  return coming.toSorted((one, other) => one.getTime() - other.getTime())[0];
}
