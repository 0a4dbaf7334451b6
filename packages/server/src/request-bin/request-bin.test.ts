import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KeptRequest, MOST_BODY_BYTES, MOST_KEPT } from './kept-requests.ts';
import { type BinOptions, type RequestBin, startRequestBin } from './request-bin.ts';

const running: RequestBin[] = [];
const printed: KeptRequest[] = [];
let bin: RequestBin;
async function start(options: Partial<BinOptions> = {}): Promise<RequestBin> {
  const started = await startRequestBin({
    port: 0,
    host: '127.0.0.1',
    status: 200,
    failOn: [],
    delayMilliseconds: 0,
    onRequest: (request) => printed.push(request),
    ...options,
  });
  running.push(started);
  return started;
}
beforeAll(async () => {
  bin = await start();
});
afterEach(() => void printed.splice(0));
afterAll(() => Promise.all(running.map((one) => one.stop())));

const post = (at: RequestBin, body: string, path = '/hook') => fetch(`${at.origin}${path}`, { method: 'POST', body });
const statuses = async (at: RequestBin, count: number) => {
  const found: number[] = [];
  for (let index = 0; index < count; index++) found.push((await post(at, '{}')).status);
  return found;
};

describe('gatewright bin', () => {
  it('shows what came: method, path, headers in their spelling, body', async () => {
    const response = await fetch(`${bin.origin}/a/b?c=d`, {
      method: 'PUT',
      body: '{"type":"fp"}',
      headers: { 'webhook-id': '42' },
    });
    expect(response.status).toBe(200);
    expect(printed).toMatchObject([
      { method: 'PUT', path: '/a/b?c=d', body: '{"type":"fp"}', bytes: 13, isCut: false, status: 200 },
    ]);
    expect(printed[0]?.headers).toContainEqual(['webhook-id', '42']);
  });

  it('answers 200, or as it is told: always, or to some requests', async () => {
    expect(await statuses(await start(), 3)).toEqual([200, 200, 200]);
    expect(await statuses(await start({ status: 503 }), 2)).toEqual([503, 503]);
    expect(await statuses(await start({ status: 500, failOn: [2, 4] }), 5)).toEqual([200, 500, 200, 500, 200]);
    expect(await statuses(await start({ status: 204 }), 1)).toEqual([204]);
  });

  it('keeps the newest two hundred, and the beginning of a long body', async () => {
    const own = await start();
    await post(own, 'x'.repeat(MOST_BODY_BYTES + 10));
    expect(printed[0]).toMatchObject({ bytes: MOST_BODY_BYTES + 10, isCut: true });
    expect(printed[0]?.body).toHaveLength(MOST_BODY_BYTES);
    await statuses(own, MOST_KEPT);
    expect((await fetch(`${own.origin}/_bin/requests/1`)).status).toBe(404);
    expect((await fetch(`${own.origin}/_bin/requests/2`)).status).toBe(200);
  });

  it('goes on after a request that is torn', async () => {
    const { port } = new URL(bin.origin);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect(await statuses(bin, 1)).toEqual([200]);
  });

  it('gives the page to a browser that opens the address, with a policy that runs nothing but its own script', async () => {
    const page = await fetch(bin.origin, { headers: { accept: 'text/html,*/*' } });
    expect(page.url).toBe(`${bin.origin}/_bin`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(printed).toEqual([]);
    expect((await fetch(bin.origin)).url).toBe(`${bin.origin}/`);
    expect(printed).toHaveLength(1);
  });

  it('tells pages of requests as they come', async () => {
    const own = await start();
    await post(own, '{"type":"s"}');
    const events = await fetch(`${own.origin}/_bin/events`);
    const text = events.body?.pipeThrough(new TextDecoderStream());
    let seen = '';
    for await (const piece of text ?? []) {
      if (seen === '') await post(own, '{"type":"f"}');
      seen += piece;
      if (seen.includes('event: request')) break;
    }
    expect(seen).toMatch(
      /event: all\ndata: \[\{"number":1,.*"type":"s"\}\]\n\nevent: request\ndata: \{"number":2,.*"type":"f"\}/,
    );
  });

  it('shows nothing to a name that was made to lead here, and is not emptied by a page elsewhere', async () => {
    const { port } = new URL(bin.origin);
    const ask = (path: string, host: string, method = 'GET', more = '') =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1');
        socket
          .setEncoding('utf8')
          .on('data', (text: string) => resolve(text.split('\r\n')[0] ?? ''))
          .on('error', reject);
        socket.end(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${more}connection: close\r\n\r\n`);
      });
    for (const path of ['/_bin', '/_bin/events', '/_bin/requests/1'])
      expect(await ask(path, `evil.test:${port}`)).toBe('HTTP/1.1 403 Forbidden');
    expect(await ask('/_bin/clear', `localhost:${port}`, 'POST', 'origin: https://evil.test\r\n')).toBe(
      'HTTP/1.1 403 Forbidden',
    );
    expect(await ask('/_bin/clear', `localhost:${port}`, 'POST', `origin: http://localhost:${port}\r\n`)).toBe(
      'HTTP/1.1 204 No Content',
    );
  });
});
