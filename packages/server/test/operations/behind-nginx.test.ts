import { Agent, request } from 'node:https';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../free-ports.ts';
import { parsePrometheus, sumOf } from '../prometheus-text.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { call } from './calls.ts';

import { killUnderLoad } from './kill-under-load.ts';
import { describeBehindNginx, type Nginx, startNginx } from './nginx.ts';

const HOST = 'login.example.com';
const ORIGIN = `https://${HOST}`;

let server: ServerProcess;
let nginx: Nginx;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(path: string, headers: Readonly<Record<string, string>> = {}, form?: Record<string, string>) {
  const body = form && new URLSearchParams(form).toString();
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: nginx.port,
        servername: HOST,
        rejectUnauthorized: false,
        agent: new Agent({ keepAlive: false }),
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          host: HOST,
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
      },
      (incoming) => {
        incoming.toArray().then(
          (chunks) =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          reject,
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describeBehindNginx('Behind nginx with the configuration of examples/nginx', () => {
  beforeAll(async () => {
    server = await startServerProcess({
      env: {
        GATEWRIGHT_ORIGIN: ORIGIN,
        GATEWRIGHT_BASE_DOMAIN: 'id.example.com',
        GATEWRIGHT_WORKERS: '2',
        TRUSTED_PROXIES: '127.0.0.1',
        HTTPS_PORT: '0',
      },
    });
    nginx = await startNginx(Number(new URL(server.httpOrigin).port), await freePorts());
  });
  afterAll(async () => {
    await nginx?.stop();
    await server?.stop();
  });

  it('issuer, redirects and cookies are those of GATEWRIGHT_ORIGIN', async () => {
    const discovery = JSON.parse((await ask('/.well-known/openid-configuration')).body);
    expect(discovery).toMatchObject({ issuer: `${ORIGIN}/`, token_endpoint: `${ORIGIN}/oauth/token` });
    const query = new URLSearchParams({
      client_id: server.firstRun.spa_client.client_id,
      response_type: 'code',
      redirect_uri: 'http://localhost:5555/callback',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const begun = await ask(`/authorize?${query}`);
    expect(begun.status).toBe(302);
    expect(new URL(String(begun.headers.location), ORIGIN).origin).toBe(ORIGIN);
    const cookies = [begun.headers['set-cookie'] ?? []].flat();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Host-gw-dev/);
      expect(cookie).toMatch(/; Secure/);
    }
    expect(begun.headers['strict-transport-security']).toBe('max-age=31536000');
  });

  it('nothing that a client says about its host, scheme or address counts', async () => {
    for (const headers of [
      { 'x-forwarded-host': 'evil.example.com' },
      { 'x-forwarded-proto': 'http' },
      { 'x-forwarded-port': '8443' },
      { forwarded: 'host=evil.example.com;proto=http' },
      { 'x-original-host': 'evil.example.com', 'x-host': 'evil.example.com', 'x-rewrite-url': '/api/v2/users' },
    ]) {
      const { status, body } = await ask('/.well-known/openid-configuration', headers);
      expect({ headers, status, issuer: JSON.parse(body).issuer }).toEqual({
        headers,
        status: 200,
        issuer: `${ORIGIN}/`,
      });
    }
    const form = { grant_type: 'client_credentials', ...server.firstRun.management };
    const forged = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', 'true-client-ip': '203.0.113.9' };
    const { body } = await ask('/oauth/token', forged, form);
    const headers = { authorization: `Bearer ${JSON.parse(body).access_token}` };
    const [event] = JSON.parse((await ask('/api/v2/logs?q=type:seccft&per_page=1', headers)).body);
    expect(event).toMatchObject({ ip: '127.0.0.1' });
    // Past the proxy, from an address that is trusted but says nothing, no host of the tenant is named.
    expect((await call(server.httpOrigin, '/.well-known/openid-configuration')).status).toBe(404);
  });

  it.each(['evil.example.com', 'localhost', '127.0.0.1', 'login.example.com.evil.example.com'])(
    'the host %s is closed without an answer',
    async (host) => {
      expect(await nginx.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toBe('');
    },
  );

  it('a tenant that does not exist below the base domain gets 404, and /metrics is not there', async () => {
    expect((await ask('/.well-known/openid-configuration', { host: 'nobody.id.example.com' })).status).toBe(404);
    for (const path of ['/metrics', '/%6detrics', '//metrics', '/./metrics'])
      expect({ path, status: (await ask(path)).status }).toEqual({ path, status: 404 });
  });

  it('large headers and bodies are refused, and a slow body holds no process', async () => {
    const large = await nginx.send(
      `GET /test HTTP/1.1\r\nHost: ${HOST}\r\nX-Large: ${'a'.repeat(110_000)}\r\nConnection: close\r\n\r\n`,
    );
    expect(large).toMatch(/^HTTP\/1\.1 (400|431) /);
    const { status } = await ask('/oauth/token', {
      'content-type': 'application/json',
      'content-length': '3000000',
    }).catch(() => ({ status: 413 }));
    expect(status).toBe(413);
    const slow = nginx.send(
      `POST /oauth/token HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\ngrant_`,
      1_500,
    );
    expect((await ask('/testall')).body).toBe('OK');
    expect(await slow).toBe('');
  });

  const smuggled = 'GET /api/v2/clients HTTP/1.1\r\nHost: login.example.com\r\n\r\n';
  const post = `POST /test HTTP/1.1\r\nHost: ${HOST}\r\n`;
  it.each([
    ['a length beside chunks', `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['chunks beside a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
    ['a signed length', `${post}Content-Length: +${smuggled.length}\r\n\r\n${smuggled}`],
    ['a disguised encoding', `${post}Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['an encoding after a tab', `${post}Content-Length: 4\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['two encodings', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a space before the colon', `${post}Content-Length : ${smuggled.length}\r\n\r\n${smuggled}`],
    [
      'a folded header',
      `${post}X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a bare line feed in a chunk', `${post}Transfer-Encoding: chunked\r\n\r\n0\n\n${smuggled}`],
    ['two hosts', `GET /test HTTP/1.1\r\nHost: ${HOST}\r\nHost: evil.example.com\r\n\r\n`],
    [
      'a host in the target',
      `GET https://evil.example.com/test HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
    ],
  ])('smuggles nothing: %s', async (_what, bytes) => {
    const before = await hiddenRequests();
    const text = await nginx.send(bytes, 1_000);
    // A second request that nginx saw as well is none that was smuggled: the client got its answer, 401.
    const answered = text.match(/HTTP\/1\.1 401 /g)?.length ?? 0;
    // The next ones on connections that nginx keeps get answers of their own.
    for (let i = 0; i < 4; i++) expect(JSON.parse((await ask('/test')).body)).toHaveProperty('clock');
    expect((await hiddenRequests()) - before).toBe(answered);
  });

  async function hiddenRequests(): Promise<number> {
    const { body } = await call(server.httpOrigin, '/metrics');
    const labels = { route: '/api/v2/clients', method: 'GET' };
    return sumOf(parsePrometheus(String(body.text)), 'gatewright_http_request_duration_seconds_count', labels);
  }

  it('kill -9 of a process under load: no acknowledged write is lost, and logins go on', async () => {
    const outcome = await killUnderLoad({ server, port: nginx.port, host: HOST, kills: 1 });
    expect(outcome.lost).toEqual([]);
    expect(outcome.logins).toBeGreaterThan(0);
    expect(outcome.acknowledged).toBeGreaterThan(0);
  });
});
