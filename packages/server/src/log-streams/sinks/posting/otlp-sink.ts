import { isObject, textOf } from '../../../kit/json-values.ts';
import type { CreateSink, SinkSettings } from '../sink.ts';
import { faultOfAddress } from '../sink-address.ts';
import { customHeadersOf, faultOfCustomHeaders } from './http-headers.ts';
import { attributesOf, toOtlpRecord } from './otlp-record.ts';
import { createPostingSink } from './posting-sink.ts';

/** A collector that takes OpenTelemetry's logs over HTTP, as JSON. */
export const createOtlpSink: CreateSink = (settings, parts) => {
  const headers = customHeadersOf(settings.otlpHeaders);
  const resource = attributesOf({
    'service.name': 'gatewright',
    'service.namespace': parts.tenantId,
    tenant: parts.tenantId,
  });
  return createPostingSink(parts, {
    mostEvents: 500,
    mostInFlight: 4,
    secrets: Object.values(headers),
    compose: (events) => ({
      url: textOf(settings.otlpEndpoint) ?? '',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({
        resourceLogs: [
          {
            resource: { attributes: resource },
            scopeLogs: [{ scope: { name: 'gatewright.audit' }, logRecords: events.map(toOtlpRecord) }],
          },
        ],
      }),
    }),
    noteOf: partialSuccess,
  });
};

export function faultOfOtlpSettings({ otlpEndpoint, otlpHeaders }: SinkSettings): string | undefined {
  return faultOfAddress('otlpEndpoint', otlpEndpoint) ?? faultOfCustomHeaders('otlpHeaders', otlpHeaders);
}

/** What a collector rejects must not be sent again (OTLP, "Partial Success"): it is told, and not held back. */
function partialSuccess(body: string): string | undefined {
  const answer = parsed(body);
  const partial = isObject(answer) && isObject(answer.partialSuccess) ? answer.partialSuccess : undefined;
  const rejected = Number(partial?.rejectedLogRecords ?? 0);
  const message = textOf(partial?.errorMessage) ?? '';
  if (!(rejected > 0)) return message === '' ? undefined : `The collector says: ${message}`;
  return `The collector rejected ${rejected} records. ${message}`.trimEnd();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
