import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { ResolveHost } from './guarded-connect.ts';
import { createOutgoing, type OutgoingRequest } from './http-client.ts';

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
const clients: ReturnType<typeof createOutgoing>[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  return listening(server);
}

async function listening(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server does not listen.');
  return address.port;
}

function client(resolve?: ResolveHost, allowed: readonly string[] = []) {
  const made = createOutgoing({ allowed, ...(resolve && { resolve }) });
  clients.push(made);
  return made.callOut;
}

const local = (url: string, more: Partial<OutgoingRequest> = {}) => client()({ url, mayReachLoopback: true, ...more });
const at =
  (...addresses: string[]): ResolveHost =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('a call to an address of a tenant', () => {
  it('brings back status, headers and body, and sends what it is told to', async () => {
    const port = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.writeHead(201, { 'x-answer': 'yes' }).end(`${request.method} ${request.headers['x-ask']} ${body}`);
      });
    });
    const answer = await local(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'x-ask': 'a' }, body: 'b=c' });
    expect([answer.status, answer.headers['x-answer'], answer.body.toString()]).toEqual([201, 'yes', 'POST a b=c']);
  });

  it.each([
    'http://127.0.0.1',
    'http://127.1',
    'http://2130706433',
    'http://0x7f000001',
    'http://0177.0.0.1',
    'http://0',
    'http://[::1]',
    'http://[::]',
    'http://[::ffff:127.0.0.1]',
    'http://[64:ff9b::127.0.0.1]',
    'http://169.254.169.254',
    'http://localhost',
    'http://①②⑦.⓪.⓪.①',
  ])('reaches nothing at %s', async (origin) => {
    let requests = 0;
    const port = await serve((_request, response) => {
      requests++;
      response.end();
    });
    await expect(client()({ url: `${origin}:${port}/` })).rejects.toMatchObject({ fault: 'address' });
    expect(requests).toBe(0);
  });

  it.each([
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'unix:/var/run/docker.sock',
    'ftp://example.com/',
    'data:text/plain,a',
    'http://user:password@example.com/',
    '//example.com',
    'not a url',
    `https://example.com/${'x'.repeat(5_000)}`,
  ])('refuses %s', async (url) => {
    await expect(local(url)).rejects.toMatchObject({ fault: 'url' });
  });

  it('is refused where any of the addresses of a name is private, and asks the resolver once', async () => {
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:10.0.0.1'], ['fe80::1'], []]) {
      let asked = 0;
      const resolve: ResolveHost = async () => {
        asked++;
        return at(...addresses)('');
      };
      await expect(client(resolve)({ url: 'http://rebind.example/' })).rejects.toMatchObject({ fault: 'address' });
      expect(asked).toBe(1);
    }
  });

  it('goes to the address that was checked, though the name leads elsewhere a moment later', async () => {
    const port = await serve((_request, response) => void response.end('the first'));
    const answers = ['127.0.0.1', '10.0.0.1'];
    const resolve: ResolveHost = async () => at(answers.shift() ?? '10.0.0.1')('');
    const answer = await client(resolve)({ url: `http://rebind.example:${port}/`, mayReachLoopback: true });
    expect(answer.body.toString()).toBe('the first');
    expect(answers).toEqual(['10.0.0.1']);
  });

  it("uses no development tenant's connection for another tenant", async () => {
    const port = await serve((_request, response) => void response.end());
    const callOut = client();
    const url = `http://127.0.0.1:${port}/`;
    expect((await callOut({ url, mayReachLoopback: true })).status).toBe(200);
    await expect(callOut({ url })).rejects.toMatchObject({ fault: 'address' });
  });

  it('reaches what the operator opened', async () => {
    const port = await serve((_request, response) => void response.end('open'));
    const answer = await client(at('127.0.0.1'), ['127.0.0.1/32'])({ url: `http://inside.example:${port}/` });
    expect(answer.body.toString()).toBe('open');
  });

  it('follows no redirect', async () => {
    let requests = 0;
    const port = await serve((_request, response) => {
      requests++;
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    expect((await local(`http://127.0.0.1:${port}/`)).status).toBe(302);
    expect(requests).toBe(1);
  });

  it.each<[string, RequestListener]>([
    [
      'whose length is told',
      (_request, response) => void response.writeHead(200, { 'content-length': 10_000_000 }).end(),
    ],
    [
      'that never ends',
      (_request, response) => {
        const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('ends at an answer that is too large, %s', async (_what, listener) => {
    const port = await serve(listener);
    await expect(local(`http://127.0.0.1:${port}/`, { mostBytes: 100_000 })).rejects.toMatchObject({
      fault: 'too-large',
    });
  });

  it('unpacks no bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const port = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    await expect(local(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ fault: 'encoded' });
  });

  it('ends with its time: no answer, and one that drips', async () => {
    const silent = await serve(() => undefined);
    const dripping = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    for (const port of [silent, dripping]) {
      const call = local(`http://127.0.0.1:${port}/`, { timeoutMilliseconds: 200 });
      await expect(call).rejects.toMatchObject({ fault: 'timeout' });
    }
  });

  it('ends with its time while it waits for a connection that another call has', async () => {
    const port = await serve(() => undefined);
    const only = createOutgoing({ allowed: [], connections: 1 });
    clients.push(only);
    const ended: string[] = [];
    const call = (name: string, timeoutMilliseconds: number) =>
      only
        .callOut({ url: `http://127.0.0.1:${port}/`, mayReachLoopback: true, timeoutMilliseconds })
        .catch(({ fault }) => ended.push(`${name}: ${fault}`));
    const first = call('the first', 1_000);
    await call('the second', 100);
    expect(ended).toEqual(['the second: timeout']);
    await first;
    expect(ended).toEqual(['the second: timeout', 'the first: timeout']);
  });

  it('reads no endless header, and tells of no connection without its reason', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}`);
    });
    servers.push(server);
    const port = await listening(server);
    await expect(local(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ fault: 'network' });
    const error = await local('http://127.0.0.1:1/').catch((reason: Error) => reason);
    expect(error).toMatchObject({ fault: 'network', message: 'No connection to the address.' });
    expect(error).not.toHaveProperty('cause');
  });
});
