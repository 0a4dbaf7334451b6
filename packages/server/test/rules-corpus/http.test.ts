import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tunnel, TunnelRequest } from '../../src/containers/job.ts';
import { MODULE_STORE } from '../../src/containers/module-folders.ts';
import { startContainers } from '../containers/harness.ts';
import { corpusJob } from './corpus.ts';

/** A service on the operator's own network: loopback, which containers never reach by themselves. */
const service = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
  response.setHeader('content-type', 'application/json');
  if (pathname === '/score')
    response.end(JSON.stringify({ email: searchParams.get('email'), key: request.headers.authorization }));
  else if (pathname === '/form') response.end(JSON.stringify(Object.fromEntries(new URLSearchParams(text))));
  else if (pathname === '/json') response.end(JSON.stringify({ body: JSON.parse(text) }));
  else response.writeHead(404).end('{}');
});
await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
afterAll(() => new Promise((done) => service.close(done)));
const port = (service.address() as AddressInfo).port;
const SCORE_URL = `http://127.0.0.1:${port}`;

const { execute } = startContainers({
  moduleStore: MODULE_STORE,
  egressOf: async () => ({ mode: 'deny-private', hosts: [], intranet: [`127.0.0.1:${port}`] }),
  connectIntranet: async () => connect(port, '127.0.0.1'),
});

const configuration = { SCORE_URL, SCORE_KEY: 'score key' };

describe('HTTP clients of a rule', () => {
  it('the global request asks for JSON', async () => {
    expect(await execute(corpusJob('request-get', { configuration }))).toMatchObject({
      ok: true,
      result: { user: { score: { email: 'ada@example.com', key: 'Bearer score key' } } },
    });
  });

  it("require('request') posts a form", async () => {
    expect(await execute(corpusJob('request-post-form', { configuration }))).toMatchObject({
      ok: true,
      result: { user: { answer: { user: 'auth0|ada' } } },
    });
  });

  it('axios, in three versions', async () => {
    expect(await execute(corpusJob('axios-async', { configuration }))).toMatchObject({
      ok: true,
      result: { user: { seen: [200, 'auth0|ada', 200, 'auth0|ada', 200, 'auth0|ada'], refused: [404, true] } },
    });
  });

  it('node-fetch, superagent, request-promise, fetch, got', async () => {
    expect(await execute(corpusJob('other-http', { configuration }))).toMatchObject({
      ok: true,
      result: { user: { seen: ['a', 'b', 'c', 'd', 'e'] } },
    });
  });

  it('a message that nobody waits for keeps nobody waiting', async () => {
    expect(await execute(corpusJob('fire-and-forget', { configuration }))).toMatchObject({ ok: true });
  });
});

describe("the tenant's own API", () => {
  const asked: TunnelRequest[] = [];
  const stored: Record<string, unknown> = { user_id: 'auth0|ada', email: 'stored@example.com' };
  const tunnel: Tunnel = {
    hosts: ['login.example.com:443'],
    async answer(request) {
      asked.push(request);
      const isList = request.url.startsWith('/api/v2/users?');
      if (request.method === 'PATCH') Object.assign(stored, JSON.parse(request.body.toString()));
      const isMissing = request.url.includes('nobody');
      const body = isMissing
        ? { statusCode: 404, error: 'Not Found', message: 'The user does not exist.', errorCode: 'inexistent_user' }
        : isList
          ? [stored]
          : stored;
      return {
        status: isMissing ? 404 : 200,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(body)),
      };
    },
  };
  const auth0 = { domain: 'login.example.com', accessToken: 'a token of this login' };

  it('auth0.users changes metadata and reads the user, with promises and callbacks', async () => {
    const outcome = await execute({ ...corpusJob('metadata-update', { auth0 }), tunnel });
    expect(outcome).toMatchObject({
      ok: true,
      result: {
        user: { found: 'stored@example.com' },
        context: { idToken: { 'https://example.com/signed_up': true } },
      },
    });
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PATCH /api/v2/users/auth0%7Cada',
      'GET /api/v2/users/auth0%7Cada',
    ]);
    expect(asked[0]?.headers.authorization).toBe('Bearer a token of this login');
    expect(JSON.parse(String(asked[0]?.body))).toEqual({ app_metadata: { signed_up: true } });
  });

  it('a refusal of auth0.users is an error with its status', async () => {
    const job = corpusJob('metadata-update', { auth0, user: { user_id: 'auth0|nobody' } });
    expect(await execute({ ...job, tunnel })).toMatchObject({
      ok: false,
      failure: { error: { name: 'Not Found', message: 'The user does not exist.', statusCode: 404 } },
    });
  });

  it('ManagementClient of auth0, in three versions, and a request to auth0.baseUrl', async () => {
    const outcome = await execute({ ...corpusJob('management-client', { auth0 }), tunnel });
    const email = 'stored@example.com';
    expect(outcome).toMatchObject({ ok: true, result: { user: { seen: [email, email, email], listed: [200, 1] } } });
  });
});
