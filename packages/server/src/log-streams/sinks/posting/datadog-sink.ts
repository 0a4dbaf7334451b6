import { oneOf, textOf } from '../../../kit/json-values.ts';
import type { CreateSink, SinkSettings } from '../sink.ts';
import { faultOfHeaderValue } from './http-headers.ts';
import { createPostingSink, unitOf } from './posting-sink.ts';

const ADDRESSES = {
  us: 'https://http-intake.logs.datadoghq.com',
  eu: 'https://http-intake.logs.datadoghq.eu',
  us3: 'https://http-intake.logs.us3.datadoghq.com',
  us5: 'https://http-intake.logs.us5.datadoghq.com',
} as const;
const REGIONS = ['us', 'eu', 'us3', 'us5'] as const;

/** Datadog's log intake, version 2: at most 1,000 entries and 5 MB. Source and service are those of Auth0's own streams. */
export const createDatadogSink: CreateSink = (settings, parts) => {
  const key = textOf(settings.datadogApiKey) ?? '';
  const region = oneOf(REGIONS, settings.datadogRegion) ?? 'us';
  return createPostingSink(parts, {
    mostEvents: 500,
    mostInFlight: 4,
    gzips: true,
    secrets: [key],
    compose: (events) => ({
      url: `${parts.datadogAddress ?? ADDRESSES[region]}/api/v2/logs`,
      headers: { 'content-type': 'application/json', 'dd-api-key': key },
      body: JSON.stringify(
        events.map((event) => ({
          ddsource: 'auth0',
          service: 'auth0',
          ddtags: `tenant:${event.tenantId}`,
          hostname: textOf(event.data.hostname) ?? event.tenantId,
          // JSON in a message becomes the entry's attributes: @log_id, @data.type …
          message: unitOf(event),
        })),
      ),
    }),
  });
};

export function faultOfDatadogSettings({ datadogApiKey, datadogRegion }: SinkSettings): string | undefined {
  if (!textOf(datadogApiKey)) return 'datadogApiKey must be given.';
  if (oneOf(REGIONS, datadogRegion) === undefined) return `datadogRegion must be one of ${REGIONS.join(', ')}.`;
  return faultOfHeaderValue('datadogApiKey', datadogApiKey);
}
