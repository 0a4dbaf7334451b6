import { type Json, textOf } from '../../kit/json-values.ts';
import { bodyFault } from '../../management/body-limits.ts';
import type { StreamType } from './sink.ts';

interface Guarded {
  /** The member that a refusal names. */
  readonly property: string;
  /** Who gets the secrets: as long as it is the same, they may stay. */
  readonly addressOf: (sink: Json) => string;
  readonly secrets: readonly string[];
}

/** Sumo's address is its secret; a syslog receiver and a file get none. Auth0's other types are not sent to. */
const GUARDED: Readonly<Partial<Record<StreamType, Guarded>>> = {
  http: {
    property: 'httpEndpoint',
    addressOf: ({ httpEndpoint }) => originOf(httpEndpoint),
    secrets: ['httpAuthorization', 'httpCustomHeaders'],
  },
  otlp: { property: 'otlpEndpoint', addressOf: ({ otlpEndpoint }) => originOf(otlpEndpoint), secrets: ['otlpHeaders'] },
  datadog: {
    property: 'datadogRegion',
    addressOf: ({ datadogRegion }) => String(datadogRegion),
    secrets: ['datadogApiKey'],
  },
  splunk: {
    property: 'splunkDomain',
    // Without a look at the certificate, anybody on the way is the address.
    addressOf: ({ splunkDomain, splunkPort, splunkSecure }) =>
      `${splunkDomain}:${splunkPort}`.toLowerCase() + (splunkSecure === false ? ' unverified' : ''),
    secrets: ['splunkToken'],
  },
};

interface Change {
  readonly before: Json;
  readonly given: Json;
  readonly sink: Json;
}

/** Who may change a stream, and not read it, must not have its secrets sent to an address of their choice. */
export function checkAddressChange(type: StreamType, { before, given, sink }: Change): void {
  const guarded = GUARDED[type];
  if (guarded === undefined) return;
  const { property, addressOf, secrets } = guarded;
  const kept = secrets.filter((name) => isThere(before[name]) && !Object.hasOwn(given, name));
  if (kept.length === 0 || addressOf(sink) === addressOf(before)) return;
  throw bodyFault(`What is stored would go to another address: give ${kept.join(' and ')} as well`, `sink.${property}`);
}

function isThere(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';
}

function originOf(value: unknown): string {
  const text = textOf(value) ?? '';
  return URL.canParse(text) ? new URL(text).origin : text;
}
