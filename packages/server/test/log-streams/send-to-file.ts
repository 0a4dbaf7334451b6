import { createFileSink } from '../../src/log-streams/sinks/file/file-sink.ts';

// A process of its own, since the limit that stands for a full disk is the process's. Prints what became of each batch.
const unused = () => Promise.reject(new Error('A file needs no network.'));
const sink = createFileSink(
  {},
  {
    tenantId: 'dev',
    streamId: 'lst_1',
    callOut: unused,
    connectOut: unused,
    now: () => new Date('2026-11-22T12:00:00.000Z'),
    mayReachLoopback: false,
    folder: process.argv[2] ?? '',
    signingSecrets: [],
  },
);
const deliveries = [];
for (const length of [10, 100_000, 10]) {
  const data = { description: 'x'.repeat(length) };
  const event = { logId: '900', at: new Date(0), tenantId: 'dev', data, json: JSON.stringify(data) };
  deliveries.push(await sink.send([event], { number: 1, isReplay: false, signal: new AbortController().signal }));
}
await sink.close();
process.stdout.write(JSON.stringify(deliveries));
