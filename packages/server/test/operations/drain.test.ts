import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen } from '../../src/http/listen.ts';
import { ensureLocalCertificate } from '../../src/tls/tls-source.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Longer than a test may take: a drain that waits for it fails the test. */
const NEVER = 600_000;

describe('A listener that closes', () => {
  it('lets a request under way finish, and waits for no connection without one', async () => {
    const { promise: release, resolve: finish } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const listener = await listen({
      hosts: ['127.0.0.1'],
      port: 0,
      handler: async (request, response) => {
        if (request.url === '/slow') {
          arrive();
          await release;
        }
        response.end('done');
      },
    });
    const [silent, idle, trickling, busy] = await Promise.all([1, 2, 3, 4].map(() => open(listener.port)));
    if (!silent || !idle || !trickling || !busy) throw new Error('No connections.');
    idle.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(idle, 'data');
    trickling.write('GET / HTTP/1.1\r\nho');
    busy.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    await arrived;
    const answer = textOf(busy);
    const closed = listener.close(NEVER);
    await Promise.all([silent, idle, trickling].map((socket) => ended(socket)));
    expect(busy.closed).toBe(false);
    finish();
    await ended(busy);
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i);
    expect(await answer).toContain('done');
    await closed;
    await expect(open(listener.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('answers the first request of a connection that it had accepted before', async () => {
    const accepted = Promise.withResolvers<void>();
    const listener = await listen({
      hosts: ['127.0.0.1'],
      port: 0,
      handler: (request, response) => {
        if (request.url === '/before') accepted.resolve();
        response.end('done');
      },
    });
    const [late, begun, probe] = await Promise.all([1, 2, 3].map(() => open(listener.port)));
    if (!late || !begun || !probe) throw new Error('No connections.');
    begun.write('GET / HTTP/1.1\r\nho');
    // Connections are accepted in their order.
    probe.write('GET /before HTTP/1.1\r\nhost: x\r\n\r\n');
    await accepted.promise;
    const answers = [late, begun].map((socket) => textOf(socket));
    const closed = listener.close(NEVER);
    late.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    begun.write('st: x\r\n\r\n');
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i);
      expect(answer).toContain('done');
    }
    await closed;
  });

  it('waits for no TLS handshake that never comes, and ends what is left after the deadline', async () => {
    const { cert, key } = await ensureLocalCertificate({
      folder: await temporaryFolder(),
      hosts: ['localhost'],
      now: () => new Date(),
    });
    const serverOptions = () => ({ cert, key, minVersion: 'TLSv1.2' as const, SNICallback: () => {} });
    const https = await listen({
      hosts: ['127.0.0.1'],
      port: 0,
      handler: () => {},
      tls: { serverOptions, onChange: () => {} },
    });
    const mute = await open(https.port);
    await https.close(NEVER);
    await ended(mute);

    const http = await listen({ hosts: ['127.0.0.1'], port: 0, handler: () => {} });
    const hanging = await open(http.port);
    hanging.write('GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /');
    await http.close(100);
    await ended(hanging);
  });
});

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket.resume();
}

/** All that comes until the end. */
async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  await ended(socket);
  return text;
}

async function ended(socket: Socket): Promise<void> {
  // Not once(): a reset is an end as well.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}
