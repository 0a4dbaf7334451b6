import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../start/free-ports.ts';
import { type Exchange, type Recorder, startRecorder } from './recorder.ts';

const BEHIND = process.platform === 'linux' ? '127.0.0.2' : '::1';
const exchanges: Exchange[] = [];
let server: Server;
let recorder: Recorder;
let origin: string;
beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    response.writeHead(201, { 'x-host': request.headers.host, 'content-type': 'text/plain' }).end(`got ${body}`);
  }).listen(port, BEHIND);
  await once(server, 'listening');
  const record = (exchange: Exchange) => void exchanges.push(exchange);
  recorder = await startRecorder({ to: 'a service', host: '127.0.0.1', target: BEHIND, port, record });
  origin = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await recorder?.close();
  server?.close();
});

const send = () => fetch(`${origin}/path?a=1`, { method: 'POST', body: 'hello' });

it('passes requests and answers on as they are, and keeps both', async () => {
  const response = await send();
  expect(response.status).toBe(201);
  expect(response.headers.get('x-host')).toBe(new URL(origin).host);
  expect(await response.text()).toBe('got hello');
  const expected = { to: 'a service', method: 'POST', url: '/path?a=1', requestBody: 'hello', status: 201 };
  expect(exchanges).toEqual([expect.objectContaining({ ...expected, responseBody: 'got hello' })]);
  expect(exchanges[0]?.responseHeaders).toMatch(/^x-host: 127\.0\.0\.1:\d+$/m);
});

it('breaks connections while it is cut', async () => {
  recorder.cut();
  await expect(send()).rejects.toThrow();
  recorder.mend();
  expect((await send()).status).toBe(201);
});
