import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';

const TYPES = { 1: 'A', 5: 'CNAME', 16: 'TXT', 28: 'AAAA' } as const;
type Type = (typeof TYPES)[keyof typeof TYPES];

export interface DnsServer {
  /** Asks this server alone. */
  readonly resolver: Resolver;
  /** `set('TXT', 'a.example', 'text')`; without a value the record is gone. */
  set(type: Type, name: string, value?: string): void;
  /** Stops answering, until the next `set`. */
  silence(): void;
  stop(): void;
}

/** A name server of RFC 1035 with one record a name and type, on a free port of loopback. */
export async function startDnsServer(): Promise<DnsServer> {
  const records = new Map<string, string>();
  let isSilent = false;
  const socket = createSocket('udp4');
  socket.on('message', (question, { address, port }) => {
    if (!isSilent) socket.send(answer(question, records), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    resolver,
    set(type, name, value) {
      isSilent = false;
      if (value === undefined) records.delete(`${type} ${name}`);
      else records.set(`${type} ${name}`, value);
    },
    silence() {
      isSilent = true;
    },
    stop: () => socket.close(),
  };
}

function answer(question: Buffer, records: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = [];
  let end = 12;
  for (let length = question[end] ?? 0; length > 0; length = question[end] ?? 0) {
    labels.push(question.toString('latin1', end + 1, end + 1 + length));
    end += length + 1;
  }
  const type = TYPES[question.readUInt16BE(end + 1) as keyof typeof TYPES];
  const value = type && records.get(`${type} ${labels.join('.').toLowerCase()}`);
  const header = Buffer.alloc(12);
  question.copy(header, 0, 0, 2);
  // An answer with authority; NXDOMAIN where there is nothing.
  header.writeUInt16BE(value === undefined ? 0x8583 : 0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(value === undefined ? 0 : 1, 6);
  const asked = question.subarray(12, end + 5);
  if (type === undefined || value === undefined) return Buffer.concat([header, asked]);
  const data = dataOf(type, value);
  const fixed = Buffer.from([
    0xc0,
    0x0c,
    ...question.subarray(end + 1, end + 5),
    0,
    0,
    0,
    1,
    data.length >> 8,
    data.length & 255,
  ]);
  return Buffer.concat([header, asked, fixed, data]);
}

function dataOf(type: Type, value: string): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number));
  if (type === 'TXT') return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const labels = value.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}
