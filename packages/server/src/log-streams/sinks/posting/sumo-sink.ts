import { textOf } from '../../../kit/json-values.ts';
import type { CreateSink, SinkSettings } from '../sink.ts';
import { faultOfAddress } from '../sink-address.ts';
import { createPostingSink, unitOf } from './posting-sink.ts';

/** A hosted HTTP source of Sumo Logic: a line for each message. Its address is its password. */
export const createSumoSink: CreateSink = (settings, parts) => {
  const address = textOf(settings.sumoSourceAddress) ?? '';
  return createPostingSink(parts, {
    mostEvents: 500,
    mostInFlight: 4,
    gzips: true,
    secrets: [address, ...address.split('/').filter(({ length }) => length > 20)],
    compose: (events) => ({
      url: address,
      headers: { 'content-type': 'application/json' },
      body: events.map(unitOf).join('\n'),
    }),
  });
};

export function faultOfSumoSettings({ sumoSourceAddress }: SinkSettings): string | undefined {
  return faultOfAddress('sumoSourceAddress', sumoSourceAddress);
}
