import { textOf } from '../../../kit/json-values.ts';
import type { CreateSink, SinkSettings } from '../sink.ts';
import { faultOfHost, portOf } from '../sink-address.ts';
import { faultOfHeaderValue } from './http-headers.ts';
import { createPostingSink } from './posting-sink.ts';

/** Where Splunk's HTTP Event Collector listens unless it is told otherwise. */
const USUAL_PORT = 8_088;

/** Splunk's HTTP Event Collector: JSON objects one behind the other. The index and the source type are those of its token. */
export const createSplunkSink: CreateSink = (settings, parts) => {
  const token = textOf(settings.splunkToken) ?? '';
  const port = portOf(settings.splunkPort) ?? USUAL_PORT;
  return createPostingSink(parts, {
    mostEvents: 500,
    mostInFlight: 4,
    gzips: true,
    secrets: [token],
    // The setting is Auth0's: off where the collector shows a certificate that it signed itself.
    acceptsAnyCertificate: settings.splunkSecure === false,
    compose: (events) => ({
      url: `https://${textOf(settings.splunkDomain) ?? ''}:${port}/services/collector/event`,
      headers: { 'content-type': 'application/json', authorization: `Splunk ${token}` },
      body: events
        .map(({ logId, at, tenantId, data }) =>
          JSON.stringify({
            time: at.getTime() / 1_000,
            host: textOf(data.hostname) ?? tenantId,
            source: 'auth0',
            event: { log_id: logId, data },
          }),
        )
        .join('\n'),
    }),
  });
};

export function faultOfSplunkSettings({ splunkDomain, splunkPort, splunkToken }: SinkSettings): string | undefined {
  if (!textOf(splunkToken)) return 'splunkToken must be given.';
  if (splunkPort !== undefined && splunkPort !== '' && portOf(splunkPort) === undefined)
    return 'splunkPort must be a port from 1 to 65535.';
  return faultOfHost('splunkDomain', splunkDomain) ?? faultOfHeaderValue('splunkToken', splunkToken);
}
