import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTargetConnector } from './connect-target.ts';

const server = createServer((socket) => socket.end('hello'));
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

describe('a target that the operator opened', () => {
  it('is reached, on a private address as well', async () => {
    const socket = await createTargetConnector({ ownPorts: () => [] })(`127.0.0.1:${port}`);
    expect(Buffer.concat(await socket.toArray()).toString()).toBe('hello');
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '127.5.5.5'])(
    "is never a port of this server's own, as %s",
    async (host) => {
      const connect = createTargetConnector({ ownPorts: () => [undefined, port] });
      await expect(connect(`${host}:${port}`)).rejects.toMatchObject({ fault: 'address' });
    },
  );

  it("is never one at this machine's own addresses, or at a name that leads there", async () => {
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    for (const { address, family } of own) {
      const resolve = async () => [{ address, family: family === 'IPv4' ? 4 : 6 }];
      const connect = createTargetConnector({ ownPorts: () => [port], resolve });
      await expect(connect(`somewhere.test:${port}`)).rejects.toMatchObject({ fault: 'address' });
    }
  });

  it.each(['169.254.169.254', '0.0.0.0', '::', 'fe80::1', '224.0.0.1', '::ffff:169.254.169.254'])(
    'is no link, no group and no host without a name: %s',
    async (address) => {
      const resolve = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
      const connect = createTargetConnector({ ownPorts: () => [], resolve });
      await expect(connect('name.test:80')).rejects.toMatchObject({ fault: 'address' });
    },
  );
});
