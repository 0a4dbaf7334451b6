import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createEcho } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../start/free-ports.ts';
import { recordBytes } from './record-bytes.ts';
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

it('holds requests back until they are let go, and says how many wait or are under way', async () => {
  const release = recorder.hold();
  const known = exchanges.length;
  const sent = [send(), send()];
  await expect.poll(() => recorder.waiting()).toBe(2);
  expect([exchanges.length, recorder.underWay()]).toEqual([known, 0]);
  release();
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([201, 201]);
  expect([exchanges.length, recorder.underWay()]).toEqual([known + 2, 0]);
});

it('keeps every byte of what is no HTTP, in both directions', async () => {
  const [port = 0] = await freePorts(1);
  const echo = createEcho((socket) => socket.pipe(socket)).listen(port, BEHIND);
  await once(echo, 'listening');
  const bytes = await recordBytes({ host: '127.0.0.1', target: BEHIND, port });
  onTestFinished(async () => {
    await bytes.close();
    echo.close();
  });
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write('mg gw1:key v\r\n');
  expect(await once(socket, 'data')).toEqual(['mg gw1:key v\r\n']);
  socket.destroy();
  expect(bytes.text().split('mg gw1:key v\r\n')).toHaveLength(3);
});
