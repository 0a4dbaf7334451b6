import { describe, expect, it } from 'vitest';
import { postingContract } from '../../../../test/log-streams/posting-contract.ts';
import { startReceiver } from '../../../../test/log-streams/receiver.ts';
import { attempt, eventOf, partsOfStream } from '../../../../test/log-streams/sink-contract.ts';
import { createSumoSink, faultOfSumoSettings } from './sumo-sink.ts';

/** As long as those that Sumo Logic gives. */
const UNIQUE = 'ZaVnC4dhaV3uGKlva1XXWTNzbVMPqTrFUXxRdXLP6sDNXZf1vnu4Q8HbLQ==';

postingContract({
  name: 'sumo',
  create: (origin, parts) => createSumoSink({ sumoSourceAddress: `${origin}/receiver/v1/http/${UNIQUE}` }, parts),
  unitsOf: (body) => body.split('\n').map((line) => JSON.parse(line)),
  secret: UNIQUE,
});

describe('a stream to Sumo Logic', () => {
  it('posts a message a line to the address of the source', async () => {
    const receiver = await startReceiver();
    const sink = createSumoSink({ sumoSourceAddress: `${receiver.origin}/receiver/v1/http/${UNIQUE}` }, partsOfStream);
    await sink.send([eventOf(1), eventOf(2)], attempt());
    await receiver.close();
    const [request] = receiver.requests;
    expect(request).toMatchObject({ method: 'POST', path: `/receiver/v1/http/${UNIQUE}` });
    expect(request?.body.split('\n')).toHaveLength(2);
  });

  it('needs an address', () => {
    expect(
      faultOfSumoSettings({ sumoSourceAddress: 'https://endpoint4.collection.eu.sumologic.com/x' }),
    ).toBeUndefined();
    expect(faultOfSumoSettings({ sumoSourceAddress: 'file:///etc/passwd' })).toMatch(/^sumoSourceAddress must be/);
  });
});
