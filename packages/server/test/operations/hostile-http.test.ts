import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../src/http/listen.ts';
import { startWorld, type World } from '../world.ts';
import { type RawAnswer, sendRaw } from './raw-http.ts';

// A world listens nowhere; its app behind a real listener does, and believes that its port is the world's.
const WORLD_PORT = 3000;

let world: World;
let listener: Listener;
/** What it waits for is never on its way. */
let impatient: Listener;
beforeAll(async () => {
  world = await startWorld();
  const usual = { handler: world.app.http.routing, hosts: ['127.0.0.1'], port: 0 };
  listener = await listen(usual);
  const limits = { headersTimeout: 400, requestTimeout: 600, connectionsCheckingInterval: 100 };
  impatient = await listen({ ...usual, limits });
});
afterAll(async () => {
  await Promise.all([listener.close(0), impatient.close(0)]);
  await world.stop();
});

async function send(request: string | Buffer): Promise<RawAnswer[]> {
  return sendRaw(listener.port, request);
}

const get = (target: string, ...headers: string[]) =>
  `GET ${target} HTTP/1.1\r\n${[...headers, 'connection: close'].join('\r\n')}\r\n\r\n`;

/** What may not change by a request that is refused. */
async function footprint() {
  const { rows } = await world.database.pool.query(
    `select (select count(*) from log_events)::int as events, (select count(*) from login_transactions)::int as logins,
      (select count(*) from clients)::int as clients, (select count(*) from users)::int as users`,
  );
  return { ...rows[0], operatorLines: world.log.length };
}

describe('A Host that is none of ours', () => {
  it.each([
    ['another name', 'evil.example.com'],
    ['another port', `localhost:${WORLD_PORT + 1}`],
    ['no port', 'localhost'],
    ['credentials', `localhost:${WORLD_PORT}@evil.example.com`],
    ['our name as credentials', `evil.example.com@localhost:${WORLD_PORT}`],
    ['a backslash', `localhost:${WORLD_PORT}\\evil.example.com`],
    ['a path', `localhost:${WORLD_PORT}/evil`],
    ['a fragment', `localhost:${WORLD_PORT}#evil`],
    ['an underscore', `de_v.localhost:${WORLD_PORT}`],
    ['a trailing dot', `localhost.:${WORLD_PORT}`],
    ['percent-encoding', `%6cocalhost:${WORLD_PORT}`],
    ['a letter that looks alike', `l\u00f8calhost:${WORLD_PORT}`],
    ['an unknown tenant', `nobody.localhost:${WORLD_PORT}`],
    ['a tenant twice below', `a.dev.localhost:${WORLD_PORT}`],
    ['a mapped IPv6 address', `[::ffff:127.0.0.1]:${WORLD_PORT}`],
    ['an IPv6 zone', `[::1%25lo]:${WORLD_PORT}`],
    ['an unclosed bracket', `[::1:${WORLD_PORT}`],
    ['two names', `localhost:${WORLD_PORT}, evil.example.com`],
    ['nothing', ''],
    ['300 characters', `${'a'.repeat(300)}:${WORLD_PORT}`],
    ['a port out of range', 'localhost:99999'],
    ['the wildcard of the tenant directory', `*.localhost:${WORLD_PORT}`],
  ])('gets 404, no cookie and no token: %s', async (_what, host) => {
    for (const target of ['/authorize?client_id=x', '/api/v2/clients', '/.well-known/openid-configuration']) {
      const [answer] = await send(Buffer.from(get(target, `Host: ${host}`), 'utf8'));
      expect({ target, status: answer?.status }).toEqual({ target, status: 404 });
      expect(answer?.headers['set-cookie']).toBeUndefined();
      expect(answer?.body).not.toContain('evil');
    }
  });

  it.each([
    ['upper case', `LOCALHOST:${WORLD_PORT}`, `http://localhost:${WORLD_PORT}/`],
    ['IPv4', `127.0.0.1:${WORLD_PORT}`, `http://127.0.0.1:${WORLD_PORT}/`],
    ['IPv6', `[::1]:${WORLD_PORT}`, `http://[::1]:${WORLD_PORT}/`],
    ['IPv6 in full', `[0:0:0:0:0:0:0:1]:${WORLD_PORT}`, `http://[::1]:${WORLD_PORT}/`],
    ['the name below the base domain', `dev.localhost:${WORLD_PORT}`, `http://dev.localhost:${WORLD_PORT}/`],
  ])('is told from another way to write ours: %s', async (_what, host, issuer) => {
    const [answer] = await send(get('/.well-known/openid-configuration', `Host: ${host}`));
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ issuer });
  });

  it('counts with the target where that names a host as well', async () => {
    const path = '/.well-known/openid-configuration';
    const host = `localhost:${WORLD_PORT}`;
    const [agreeing] = await send(get(`http://${host}${path}`, `Host: ${host}`));
    expect(JSON.parse(agreeing?.body ?? '')).toMatchObject({ issuer: `http://${host}/` });
    for (const target of [
      `http://evil.example.com${path}`,
      `http://${host}@evil.example.com${path}`,
      `ftp://${host}${path}`,
    ]) {
      const [answer] = await send(get(target, `Host: ${host}`));
      expect({ target, status: answer?.status }).toEqual({ target, status: 400 });
      expect(answer?.body).not.toContain('evil');
    }
  });

  it('is refused when it comes twice, and when it is missing', async () => {
    const host = `localhost:${WORLD_PORT}`;
    const [twice] = await send(get('/health/live', `Host: ${host}`, 'host: evil.example.com'));
    expect(twice?.status).toBe(400);
    const [missing] = await send(get('/health/live'));
    expect(missing?.status).toBe(400);
    const [old] = await send('GET /.well-known/jwks.json HTTP/1.0\r\n\r\n');
    expect(old?.status).toBe(404);
  });
});

describe('Bytes that are no proper HTTP', () => {
  const host = `Host: localhost:${WORLD_PORT}`;
  const form = 'content-type: application/x-www-form-urlencoded';
  const smuggled = 'GET /api/v2/clients HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each([
    [
      'a content-length beside chunks',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'two content-lengths',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ncontent-length: 0\r\ncontent-length: 40\r\n\r\n${smuggled}`,
    ],
    [
      'a content-length with a sign',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ncontent-length: +5\r\n\r\nabcde`,
    ],
    [
      'an unknown transfer-encoding',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'a transfer-encoding in disguise',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ncontent-length: 5\r\ntransfer-encoding:\vchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a space before the colon', `GET /health/live HTTP/1.1\r\n${host}\r\ncontent-length : 3\r\n\r\nabc`],
    ['a folded header', `GET /health/live HTTP/1.1\r\n${host}\r\nx-a: b\r\n c: d\r\n\r\n`],
    ['a NUL in a header', `GET /health/live HTTP/1.1\r\n${host}\r\nx-a: b\0c\r\n\r\n`],
    ['a NUL in the target', `GET /health/\0live HTTP/1.1\r\n${host}\r\n\r\n`],
    ['an invented method', `GETTY /health/live HTTP/1.1\r\n${host}\r\n\r\n`],
    [
      'a chunk without a size',
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n`,
    ],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
  ])('gets one refusal, and nothing behind it is read: %s', async (_what, bytes) => {
    const before = await footprint();
    const answers = await send(bytes);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    expect(answers[0]?.headers.connection).toBe('close');
    expect(await footprint()).toEqual(before);
  });

  it('is a flood of headers: 431', async () => {
    const [answer] = await send(get('/health/live', host, `x-flood: ${'a'.repeat(33_000)}`));
    expect(answer?.status).toBe(431);
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      statusCode: 431,
      error: 'Request Header Fields Too Large',
      message: 'Request Header Fields Too Large',
    });
    const [allowed] = await send(get('/health/live', host, `x-large: ${'a'.repeat(20_000)}`));
    expect(allowed?.status).toBe(200);
  });

  it('is a trickle of headers or of a body: 408', async () => {
    for (const begun of [
      `GET /health/live HTTP/1.1\r\n${host}\r\n`,
      `POST /oauth/token HTTP/1.1\r\n${host}\r\n${form}\r\ncontent-length: 1000\r\n\r\ngrant_`,
    ]) {
      const socket = connect(impatient.port, '127.0.0.1');
      socket.on('error', () => {});
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.write(begun);
      await once(socket, 'close');
      expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    }
  });
});

describe('A method that a path does not have', () => {
  it.each(['TRACE', 'PROPFIND', 'PUT', 'DELETE', 'OPTIONS', 'PURGE'])('is answered with 404: %s', async (method) => {
    const [answer] = await send(
      `${method} /v2/logout HTTP/1.1\r\nHost: localhost:${WORLD_PORT}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer?.status).toBe(404);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ statusCode: 404, error: 'Not Found' });
  });

  it('is HEAD where it has GET, without a body', async () => {
    const [answer] = await send(
      `HEAD /.well-known/jwks.json HTTP/1.1\r\nHost: localhost:${WORLD_PORT}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer?.status).toBe(200);
  });
});
