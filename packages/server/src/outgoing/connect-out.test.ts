import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listening } from '../../test/log-streams/receiver.ts';
import type { ResolveHost } from './guarded-connect.ts';
import { createOutgoing } from './http-client.ts';

let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.on('error', () => undefined).end('hello');
});
let port = 0;
beforeAll(async () => {
  port = await listening(server);
});
afterAll(() => void server.close());

const connectOut = (resolve?: ResolveHost) => createOutgoing({ allowed: [], ...(resolve && { resolve }) }).connectOut;

describe('a connection without HTTP to a host of a tenant', () => {
  it.each(['127.0.0.1', 'localhost'])('is made to %s for a development tenant', async (host) => {
    const socket = await connectOut()({ host, port, mayReachLoopback: true });
    expect(Buffer.concat(await socket.toArray()).toString()).toBe('hello');
  });

  it.each([
    '127.0.0.1',
    'localhost',
    '[::1]',
    '::ffff:127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '0',
    '①②⑦.⓪.⓪.①',
  ])('is not made to %s for another one', async (host) => {
    const before = connections;
    await expect(connectOut()({ host, port })).rejects.toMatchObject({ fault: 'address' });
    expect(connections).toBe(before);
  });

  it('goes to the address that was checked, though the name leads elsewhere a moment later', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const resolve: ResolveHost = async () => [{ address: answers.shift() ?? '10.0.0.1', family: 4 }];
    const socket = await connectOut(resolve)({ host: 'rebind.example', port, mayReachLoopback: true });
    socket.destroy();
    expect(answers).toEqual(['10.0.0.1']);
  });

  it.each(['', 'a b', 'user@host', 'host:80', 'host/path', 'host?x', 'a\\b', 'x'.repeat(300)])(
    'has no host %j',
    async (host) => {
      await expect(connectOut()({ host, port })).rejects.toMatchObject({ fault: 'url' });
    },
  );

  it.each([0, -1, 65_536, 1.5, Number.NaN])('has no port %d', async (wrong) => {
    await expect(connectOut()({ host: '127.0.0.1', port: wrong })).rejects.toMatchObject({ fault: 'url' });
  });

  it('ends its handshake in time where nobody answers it', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    const at = await listening(silent);
    const stop = AbortSignal.timeout(200);
    const call = connectOut()({ host: '127.0.0.1', port: at, secure: {}, mayReachLoopback: true, signal: stop });
    await expect(call).rejects.toMatchObject({ fault: 'timeout' });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('tells of no TLS without its reason', async () => {
    const call = connectOut()({ host: '127.0.0.1', port, secure: {}, mayReachLoopback: true });
    await expect(call).rejects.toMatchObject({ fault: 'network', message: 'No connection to the address.' });
  });
});
