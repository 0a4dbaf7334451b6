import { oneOf, textOf } from '../../../kit/json-values.ts';
import { signDelivery } from '../../sign-delivery.ts';
import type { CreateSink, SinkSettings, StreamedEvent } from '../sink.ts';
import { faultOfAddress } from '../sink-address.ts';
import { customHeadersOf, faultOfCustomHeaders, faultOfHeaderValue } from './http-headers.ts';
import { createPostingSink, unitOf } from './posting-sink.ts';

const FORMATS = ['JSONLINES', 'JSONARRAY', 'JSONOBJECT'] as const;
type Format = (typeof FORMATS)[number];

/** The tenant's own webhook, in Auth0's formats, with the headers of Standard Webhooks. */
export const createHttpSink: CreateSink = (settings, parts) => {
  const format = oneOf(FORMATS, settings.httpContentFormat) ?? 'JSONLINES';
  const authorization = textOf(settings.httpAuthorization);
  const custom = customHeadersOf(settings.httpCustomHeaders);
  return createPostingSink(parts, {
    mostEvents: format === 'JSONOBJECT' ? 1 : 500,
    mostInFlight: format === 'JSONOBJECT' ? 50 : 4,
    secrets: [...(authorization ? [authorization] : []), ...Object.values(custom), ...parts.signingSecrets],
    compose(events, { isReplay }) {
      const body = bodyOf(events, format);
      const signed = { firstLogId: events[0]?.logId ?? '', count: events.length, body, at: parts.now(), isReplay };
      return {
        url: textOf(settings.httpEndpoint) ?? '',
        headers: {
          ...custom,
          'content-type': textOf(settings.httpContentType) || 'application/json',
          // Verbatim: no scheme is added.
          ...(authorization && { authorization }),
          ...signDelivery(parts.signingSecrets, signed),
        },
        body,
      };
    },
  });
};

export function faultOfHttpSettings(settings: SinkSettings): string | undefined {
  return (
    faultOfAddress('httpEndpoint', settings.httpEndpoint) ??
    faultOfHeaderValue('httpAuthorization', settings.httpAuthorization) ??
    faultOfHeaderValue('httpContentType', settings.httpContentType) ??
    faultOfCustomHeaders('httpCustomHeaders', settings.httpCustomHeaders)
  );
}

function bodyOf(events: readonly StreamedEvent[], format: Format): string {
  const units = events.map(unitOf);
  return format === 'JSONARRAY' ? `[${units.join(',')}]` : units.join('\n');
}
