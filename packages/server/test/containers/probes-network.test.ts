import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe, seen, startContainers } from './harness.ts';

// Attack E1: where tenant code tries to connect to, and from where it tries to be reached.

const { execute } = startContainers({ limits: { killsUntilOpen: 1_000, heartbeatMs: 200 } });
const DENIED =
  /^ERROR \w*(?:NotCapable|EACCES|PermissionDenied|Error)\b.*(?:requires? |EACCES|denied|not permitted|NotCapable|permission)/i;

let requests = 0;
const listener = createServer((_request, response) => {
  requests++;
  response.end('reached');
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '0.0.0.0', resolve));
  port = (listener.address() as AddressInfo).port;
});
afterAll(() => void listener.close());

describe('the network', () => {
  const HOSTS = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '0',
    'localhost',
    'LOCALHOST',
    'localhost.',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '①②⑦.⓪.⓪.①',
  ];
  const FETCH = (host: string) => `return await (await fetch('http://${host}:PORT/')).text()`;
  const bare = (host: string) => host.replace(/^\[|\]$/g, '');
  const CONNECT = (host: string) =>
    `return await new Promise((done, fail) => { const socket = require('net').connect(PORT, '${bare(host)}', () => done('reached')); socket.on('error', fail); })`;
  const HTTP = (host: string) =>
    `return await new Promise((done, fail) => require('http').get({ host: '${bare(host)}', port: PORT }, () => done('reached')).on('error', fail))`;

  it.each(HOSTS)('leads to no loopback address as %s, by fetch, net, http or Deno', async (host) => {
    const before = requests;
    for (const body of [
      FETCH(host),
      CONNECT(host),
      HTTP(host),
      `await Deno.connect({ hostname: '${bare(host)}', port: PORT }); return 'reached'`,
    ]) {
      const outcome = await execute(probe(body.replaceAll('PORT', String(port))));
      expect(seen(outcome)).toMatch(/^ERROR/);
    }
    expect(requests).toBe(before);
  });

  it.each([
    '169.254.169.254',
    '168.63.129.16',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.100.100.200',
    '[fd00:ec2::254]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:10.0.0.1]',
  ])('leads to no private address or metadata service at %s', async (host) => {
    const outcome = await execute(probe(CONNECT(host).replaceAll('PORT', '80')));
    expect(seen(outcome)).toMatch(DENIED);
  });

  it.each(namesOfThisMachine())('leads nowhere by the name %s, which leads to a denied address', async (host) => {
    const before = requests;
    for (const body of [FETCH(host), CONNECT(host), HTTP(host)])
      expect(seen(await execute(probe(body.replaceAll('PORT', String(port)))))).toMatch(/^ERROR/);
    expect(requests).toBe(before);
  });

  it('leads to no own address of this machine', async () => {
    const { networkInterfaces } = await import('node:os');
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const before = requests;
    for (const { address, family } of own.filter(({ address }) => !address.startsWith('fe80'))) {
      const host = family === 'IPv6' ? `[${address}]` : address;
      const outcome = await execute(probe(FETCH(host).replaceAll('PORT', String(port))));
      expect(seen(outcome)).toMatch(/^ERROR/);
    }
    expect(requests).toBe(before);
  });

  it.each([
    [
      'listens',
      `await new Promise((done, fail) => require('net').createServer().listen(0, '127.0.0.1', done).on('error', fail)); return 'listening'`,
    ],
    ['listens by Deno', `Deno.listen({ port: 0 }); return 'listening'`],
    [
      'sends datagrams',
      `await new Promise((done, fail) => { const socket = require('dgram').createSocket('udp4'); socket.on('error', fail); socket.send('x', 53, '127.0.0.1', (error) => (error ? fail(error) : done())); }); return 'sent'`,
    ],
    [
      'connects to a unix socket',
      `await new Promise((done, fail) => require('net').connect('/var/run/docker.sock', done).on('error', fail)); return 'connected'`,
    ],
    [
      'opens a WebSocket',
      `await new Promise((done, fail) => { const socket = new WebSocket('ws://127.0.0.1:PORT'); socket.onopen = done; socket.onerror = () => fail(new Error('denied')); }); return 'open'`,
    ],
    [
      'goes through a proxy',
      `const client = Deno.createHttpClient({ proxy: { url: 'http://127.0.0.1:PORT' } }); return (await fetch('http://example.com/', { client })).text()`,
    ],
    [
      'connects from a worker',
      `const worker = new Worker('data:application/javascript,' + encodeURIComponent("fetch('http://127.0.0.1:PORT').then((r) => r.text()).then((t) => postMessage(t), (e) => postMessage('ERROR ' + e))")); return await new Promise((done, fail) => { worker.onmessage = ({ data }) => done(data); worker.onerror = (e) => { e.preventDefault(); fail(new Error('denied')); }; })`,
    ],
  ])('does not serve code that %s', async (_what, body) => {
    const before = requests;
    const outcome = await execute(probe(body.replaceAll('PORT', String(port))));
    expect(seen(outcome)).toMatch(/^ERROR/);
    expect(requests).toBe(before);
  });
});

/** Names of /etc/hosts: they are looked up like those of a hostile DNS. */
function namesOfThisMachine(): string[] {
  const lines = readFileSync('/etc/hosts', 'utf8').split('\n');
  const names = lines.flatMap((line) => {
    const [address = '', ...rest] = line.replace(/#.*/, '').trim().split(/\s+/);
    return /^(?:127\.|::1$|10\.|172\.|192\.168\.)/.test(address) ? rest : [];
  });
  return [...new Set(['localhost', ...names])];
}
