import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContainers } from '../../src/containers/containers.ts';
import type { Job, Outcome } from '../../src/containers/job.ts';
import { LIMITS } from '../../src/containers/limits.ts';
import { createTargetConnector } from '../../src/outgoing/connect-target.ts';
import { writeNamed } from '../tls-files.ts';
import { startWorld, type World } from '../world.ts';
import { probe, rules, startContainers } from './harness.ts';

const seen = (outcome: Outcome) => (outcome.ok ? Object(outcome.result).user.out : outcome.failure);

describe("the tunnel to the tenant's own API", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  /** As a rule of the tenant `dev`, with a Management token in its configuration. */
  async function run(body: string, more: Partial<Job> = {}): Promise<Outcome> {
    const job = probe(body);
    const token = await world.managementToken(['read:users', 'update:users']);
    const { user_id } = (await world.api('read:users').get('/users')).json()[0];
    return world.app.containers.execute({
      ...job,
      tunnel: world.app.tunnelTo('dev', ['https://localhost:3443', 'http://localhost:3000']),
      input: { ...Object(job.input), configuration: { token, user_id } },
      ...more,
    });
  }
  const GET = `{ headers: { authorization: 'Bearer ' + configuration.token } }`;

  it.each([
    [
      'fetch',
      `const answer = await fetch('https://localhost:3443/api/v2/users/' + encodeURIComponent(configuration.user_id), ${GET}); return [answer.status, (await answer.json()).email];`,
    ],
    [
      'https.request',
      `return await new Promise((done, fail) => require('https').get('https://localhost:3443/api/v2/users/' + encodeURIComponent(configuration.user_id), ${GET}, (answer) => { let text = ''; answer.on('data', (d) => { text += d; }); answer.on('end', () => done([answer.statusCode, JSON.parse(text).email])); }).on('error', fail));`,
    ],
    [
      'http.request with an agent of its own',
      `return await new Promise((done, fail) => require('http').get('http://localhost:3000/api/v2/users/' + encodeURIComponent(configuration.user_id), { ...${GET}, agent: new (require('http').Agent)() }, (answer) => { let text = ''; answer.on('data', (d) => { text += d; }); answer.on('end', () => done([answer.statusCode, JSON.parse(text).email])); }).on('error', fail));`,
    ],
  ])('is taken by %s', async (_what, body) => {
    expect(seen(await run(body))).toEqual([200, world.user.email]);
  });

  it('changes what the token may change', async () => {
    const body = `const answer = await fetch('https://localhost:3443/api/v2/users/' + encodeURIComponent(configuration.user_id), { method: 'PATCH', headers: { authorization: 'Bearer ' + configuration.token, 'content-type': 'application/json' }, body: JSON.stringify({ app_metadata: { seen: 'ä' } }) }); return [answer.status, (await answer.json()).app_metadata];`;
    expect(seen(await run(body))).toEqual([200, { seen: 'ä' }]);
  });

  it('reaches the token endpoint', async () => {
    const { client_id, client_secret } = world.management;
    const body = `const answer = await fetch('https://localhost:3443/oauth/token', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(${JSON.stringify({ grant_type: 'client_credentials', client_id, client_secret, audience: world.managementAudience })}) }); return [answer.status, typeof (await answer.json()).access_token];`;
    expect(seen(await run(body))).toEqual([200, 'string']);
  });

  it.each([
    ['the login page', '/u/login', 403],
    ['/userinfo', '/userinfo', 403],
    ['the discovery document', '/.well-known/openid-configuration', 403],
    ['the sign-up of a database', '/dbconnections/signup', 403],
    ['metrics', '/metrics', 403],
    ['a page by dots', '/api/v2/../../u/login', 403],
    ['a page by encoded dots', '/oauth/%2e%2e/u/login', 403],
    ['a page by backslashes', '/api/v2/..\\\\..\\\\u/login', 403],
    ['the Management API without a token', '/api/v2/users', 401],
  ])('does not lead to %s', async (_what, path, status) => {
    const raw = `return await new Promise((done, fail) => require('http').get({ host: 'localhost', port: 3000, path: '${path}' }, (answer) => done(answer.statusCode)).on('error', fail));`;
    expect(seen(await run(raw))).toBe(status);
  });

  it('says which paths it serves, and where to read what to do instead', async () => {
    const body = `return (await (await fetch('https://localhost:3443/.well-known/jwks.json')).json()).message;`;
    expect(seen(await run(body))).toMatch(/\/api\/v2\/ with a token, and \/oauth\/.*docs\/rules\.md/);
  });

  it('carries no cookie, no forwarded header, and no host of another tenant', async () => {
    await world.createTenant('other');
    const body = `return await new Promise((done, fail) => require('http').get({ host: 'localhost', port: 3000, path: '/api/v2/users', headers: { authorization: 'Bearer ' + configuration.token, host: 'other.localhost:3000', 'x-forwarded-host': 'other.localhost:3443', 'x-forwarded-for': '203.0.113.7', cookie: '__Host-gw-dev=x' } }, (answer) => { let text = ''; answer.on('data', (d) => { text += d; }); answer.on('end', () => done([answer.statusCode, JSON.parse(text).map((user) => user.email).includes('${world.user.email}')])); }).on('error', fail));`;
    expect(seen(await run(body))).toEqual([200, true]);
  });

  it("is closed to another tenant's token", async () => {
    const other = await world.createTenant('stranger');
    const token = await world.managementToken([], other);
    const body = `return (await fetch('https://localhost:3443/api/v2/users', { headers: { authorization: 'Bearer ${token}' } })).status;`;
    expect(seen(await run(body))).toBe(401);
  });

  it('takes twenty calls of an execution, and a megabyte of a call', async () => {
    const many = `const all = []; for (let i = 0; i < 22; i++) all.push((await fetch('https://localhost:3443/oauth/none')).status); return all;`;
    const statuses = seen(await run(many));
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(404));
    expect(statuses.slice(20)).toEqual([429, 429]);
    const large = `try { return (await fetch('https://localhost:3443/api/v2/users', { method: 'POST', headers: { authorization: 'Bearer x' }, body: 'x'.repeat(1100000) })).status } catch (error) { return 'closed' }`;
    expect(seen(await run(large))).toBeOneOf([413, 'closed']);
  });

  it('is not there where a job has none', async () => {
    const job = probe(`return (await fetch('http://localhost:3000/api/v2/users')).status`);
    expect(seen(await world.app.containers.execute(job))).toMatch(/^ERROR NotCapable/);
  });
});

describe('a job that a job began', () => {
  it('holds no place, and begins no third', async () => {
    let nested: Promise<Outcome> | undefined;
    const { execute } = startContainers({ limits: { jobsPerPool: 1, queueMs: 200 } });
    const call = probe(`return (await fetch('http://tenant.test:80/api/v2/x')).status`);
    const withTunnel = (answer: (depth: number) => Promise<number>): Job => ({
      ...call,
      tunnel: {
        hosts: ['tenant.test:80'],
        answer: async (_request, depth) => ({ status: await answer(depth), headers: {}, body: Buffer.from('') }),
      },
    });
    const { asTunnelled } = await import('../../src/containers/tunnelled-request.ts');
    const inside = (depth: number, work: () => Promise<Outcome>) =>
      asTunnelled({ tenantId: 'dev', origin: 'http://tenant.test', depth }, work);
    let third: Outcome | undefined;
    const outcome = await execute(
      withTunnel(async (depth) => {
        nested = inside(depth, () =>
          execute(
            withTunnel(async (deeper) => {
              third = await inside(deeper, () => execute(call));
              return 200;
            }),
          ),
        );
        return (await nested).ok ? 200 : 500;
      }),
    );
    expect(seen(outcome)).toBe(200);
    expect(third).toMatchObject({ ok: false, failure: { kind: 'too_deep' } });
  });
});

describe("targets on the operator's own network", () => {
  const sockets = new Set<Socket>();
  const echo = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(bytes));
  });
  const web = createHttpServer((_request, response) => void response.end('intranet'));
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  let containers: ReturnType<typeof createContainers>;
  let safe: Server;
  let certificate: string;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gw-tunnel-'));
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    await writeNamed(files, 'safe.test');
    certificate = await readFile(files.certFile, 'utf8');
    safe = createHttpsServer(
      { cert: certificate, key: await readFile(files.keyFile) },
      (_request, response) => void response.end('secure'),
    );
    await rm(folder, { recursive: true });
    await new Promise<void>((resolve) => safe.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    containers = createContainers({
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      limits: LIMITS,
      egressOf: async (tenantId) => ({
        mode: tenantId === 'strict' ? 'allowlist' : 'deny-private',
        hosts: [],
        intranet:
          tenantId === 'none'
            ? []
            : [`db.test:${portOf(echo)}`, `web.test:${portOf(web)}`, `safe.test:${portOf(safe)}`],
      }),
      connectIntranet: createTargetConnector({
        ownPorts: () => [],
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      }),
    });
  });
  afterAll(async () => {
    await containers.stop();
    for (const socket of sockets) socket.destroy();
    echo.close();
    web.close();
    safe.close();
  });

  const ECHO = (size: number) => `const net = require('net'); const size = ${size};
    return await new Promise((done, fail) => {
      const socket = new net.Socket(); let count = 0; let wrong = 0;
      socket.on('error', fail);
      socket.on('data', (bytes) => { for (const byte of bytes) if (byte !== 7) wrong++; count += bytes.length; if (count === size) { socket.end(); done([count, wrong]); } });
      socket.connect(PORT, 'db.test', () => socket.write(Buffer.alloc(size, 7)));
    });`;

  it.each(['open', 'strict'])('are reached through the server, more than fits a window too (%s)', async (tenantId) => {
    for (const size of [10, 3_000_000]) {
      const job = probe(ECHO(size).replace('PORT', String(portOf(echo))));
      expect(seen(await containers.execute({ ...job, tenantId }))).toEqual([size, 0]);
    }
  });

  it('are reached by an IPv6 address', async () => {
    const targets: string[] = [];
    const { execute } = startContainers({
      egressOf: async () => ({ mode: 'deny-private', hosts: [], intranet: ['[fd12::5]:5432'] }),
      connectIntranet: async (target) => {
        targets.push(target);
        return connect(portOf(echo), '127.0.0.1');
      },
    });
    const body = `return await new Promise((done, fail) => require('net').connect(5432, 'FD12::5', () => done('reached')).on('error', fail))`;
    expect([seen(await execute(probe(body))), targets]).toEqual(['reached', ['[fd12::5]:5432']]);
  });

  it.each([
    ['localhost', 'localhost'],
    ['an address', '10.0.0.5'],
  ])('are named with the command that opens them where they are closed: %s', async (_what, host) => {
    const { execute } = startContainers();
    const { execute: tried } = startContainers({ opener: 'option' });
    const job = rules(
      `function (user, context, callback) { require('net').connect(5432, '${host}', () => callback()).on('error', callback); }`,
    );
    expect(seen(await execute(job))).toMatchObject({
      error: { message: expect.stringContaining(`gatewright egress allow <tenant> ${host}:5432 (and --intranet`) },
    });
    expect(seen(await tried(job))).toMatchObject({
      error: { message: expect.stringContaining(`--allow ${host}:5432 opens it`) },
    });
  });

  it('are reached by fetch and http', async () => {
    const url = `http://web.test:${portOf(web)}/`;
    expect(seen(await containers.execute(probe(`return (await fetch('${url}')).text()`)))).toBe('intranet');
    const body = `return await new Promise((done, fail) => require('http').get('${url}', (answer) => { answer.on('data', (d) => done(String(d))); }).on('error', fail));`;
    expect(seen(await containers.execute(probe(body)))).toBe('intranet');
  });

  it('are forgotten by the agent when the connection is closed', async () => {
    const body = `const { Agent, get } = require('http'); const agent = new Agent();
      return await new Promise((done, fail) => get('http://web.test:${portOf(web)}/', { agent }, (answer) => {
        answer.resume();
        answer.socket.on('close', () => setTimeout(() => done(Object.keys(agent.sockets).length), 1));
      }).on('error', fail));`;
    expect(seen(await containers.execute(probe(body)))).toBe(0);
  });

  it.each([
    [
      'https.get',
      `require('https').get({ host: 'safe.test', port: PORT, ca: CA }, (answer) => answer.on('data', (d) => done(String(d)))).on('error', fail)`,
    ],
    [
      'tls.connect',
      `const socket = require('tls').connect({ host: 'safe.test', port: PORT, ca: CA }, () => socket.write('GET / HTTP/1.1\\r\\nhost: safe.test\\r\\n\\r\\n')); socket.on('error', fail); socket.on('data', (d) => done(String(d).split('\\r\\n\\r\\n')[1]))`,
    ],
    [
      'tls.connect over a socket',
      `const tls = require('tls'); const socket = tls.connect({ socket: require('net').connect(PORT, 'safe.test'), servername: 'safe.test', ca: CA }, () => socket.write('GET / HTTP/1.1\\r\\nhost: safe.test\\r\\n\\r\\n')); socket.on('error', fail); socket.on('data', (d) => done(String(d).split('\\r\\n\\r\\n')[1]))`,
    ],
  ])('are reached with TLS from end to end by %s', async (_what, body) => {
    const code = body.replaceAll('PORT', String(portOf(safe))).replaceAll('CA', JSON.stringify(certificate));
    const job = probe(`return await new Promise((done, fail) => { ${code} })`);
    expect(seen(await containers.execute(job))).toBe('secure');
  });

  it.each([
    ['of another tenant', 'none', 'db.test'],
    ['by the address behind the name', 'open', '127.0.0.1'],
  ])('are closed %s', async (_what, tenantId, host) => {
    const body = `return await new Promise((done, fail) => require('net').connect(${portOf(echo)}, '${host}', () => done('reached')).on('error', fail))`;
    expect(seen(await containers.execute({ ...probe(body), tenantId }))).toMatch(/^ERROR/);
  });

  it('can not be asked for by a forged line', async () => {
    const forged = `Deno.stdout.writeSync(new TextEncoder().encode('{"type":"open","id":"x","run":"' + '0'.repeat(32) + '","target":"db.test:${portOf(echo)}"}\\n')); await new Promise((done) => setTimeout(done, 50)); return 'on'`;
    const before = sockets.size;
    await containers.execute(probe(forged));
    expect(sockets.size).toBe(before);
  });
});
