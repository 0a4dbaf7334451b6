import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** As much of PostgreSQL's protocol as tells a version and an encoding. */
export async function startOldPostgres(answer: { version: string; number: string; encoding: string }): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', int32(0)), message('Z', Buffer.from('I'))]));
      socket.on('data', () => {
        const names = Object.keys(answer);
        const values = Object.values(answer);
        socket.write(
          Buffer.concat([
            message('T', Buffer.concat([int16(names.length), ...names.map(column)])),
            message('D', Buffer.concat([int16(values.length), ...values.flatMap(field)])),
            message('C', Buffer.from('SELECT 1\0')),
            message('Z', Buffer.from('I')),
          ]),
        );
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `postgres://someone:topsecret@127.0.0.1:${(server.address() as AddressInfo).port}/somewhere`;
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

/** A text column: name, table, attribute, type, size, modifier, format. */
function column(name: string): Buffer {
  return Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]);
}

function field(value: string): Buffer[] {
  return [int32(Buffer.byteLength(value)), Buffer.from(value)];
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}
