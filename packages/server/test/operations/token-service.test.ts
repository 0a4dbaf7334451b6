import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startListeningWorld } from '../../../api-guard/test/listening-world.ts';
import { place, run, runToEnd } from './command.ts';

const SECRET = 'c'.repeat(40);

let server: Awaited<ReturnType<typeof startListeningWorld>>;
let environment: Record<string, string>;
beforeAll(async () => {
  server = await startListeningWorld();
  const { issuer, world } = server;
  environment = {
    TOKEN_SERVICE_ISSUER: issuer,
    // The client that the tokens are issued to.
    TOKEN_SERVICE_CLIENT_ID: world.password_client.client_id,
    TOKEN_SERVICE_CLIENT_SECRET: world.password_client.client_secret,
    TOKEN_SERVICE_CALLERS: JSON.stringify({ venues: SECRET }),
    TOKEN_SERVICE_PORT: '0',
  };
});
afterAll(() => server?.stop());

describe('gatewright token-service', () => {
  it('answers in a process of its own, and ends with 0 by SIGTERM', async () => {
    const { env, folder } = await place();
    const { identifier } = server.world.main.api;
    const options = ['--audience', identifier];
    const command = run(['token-service', ...options], { env: { ...env, ...environment }, cwd: folder });
    await command.says('listens at ');
    const origin = originIn(command.printed());
    expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
    const token = (await server.tokens(loginForm(identifier))).access_token;
    expect(await (await verify(origin, token)).json()).toMatchObject({
      active: true,
      user: { sub: expect.any(String) },
    });
    const { code, signal } = await command.end('SIGTERM');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(command.printed()).not.toContain(SECRET);
  });

  it('answers the questions under way when it is ended by SIGTERM, takes no new one, and ends with 0', async () => {
    const { env, folder } = await place();
    const slow = await startSlowServer();
    const more = { TOKEN_SERVICE_ISSUER: slow.issuer, TOKEN_SERVICE_AUDIENCE: 'https://venues' };
    const command = run(['token-service'], { env: { ...env, ...environment, ...more }, cwd: folder });
    await command.says('listens at ');
    const origin = originIn(command.printed());
    const question = verify(origin, 'at');
    const answer = await slow.asked;
    const ended = command.end('SIGTERM');
    const isOpen = () =>
      fetch(`${origin}/health/live`).then(
        () => true,
        () => false,
      );
    await expect.poll(isOpen, { timeout: 60_000 }).toBe(false);
    answer();
    const response = await question;
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ active: true, user: { sub: 'ada' }, permissions: ['read:venues'] });
    expect(await ended).toMatchObject({ code: 0, signal: null });
    expect(command.printed()).toContain('Stopped.');
  });

  it('serves https with a certificate of the operator', async () => {
    const { env, folder } = await place();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
        ...['-subj', '/CN=localhost', '-keyout', keyFile, '-out', certFile],
      ],
      { stdio: 'ignore' },
    );
    await writeFile(join(folder, 'callers.json'), environment.TOKEN_SERVICE_CALLERS ?? '');
    const { TOKEN_SERVICE_CALLERS: _inAFile, ...others } = environment;
    const options = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--callers-file', 'callers.json'];
    const command = run(['token-service', '--audience', 'https://venues', ...options], {
      env: { ...env, ...others },
      cwd: folder,
    });
    await command.says('listens at https://');
    const status = await new Promise((resolve, reject) => {
      request(`${originIn(command.printed())}/health/live`, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it('says every fault of its settings at once, and takes no secret as an option', async () => {
    const { env } = await place();
    const { code, printed } = await runToEnd(['token-service', '--mode', 'guess'], { env });
    expect(code).toBe(1);
    expect(printed).toMatch(/TOKEN_SERVICE_MODE.*TOKEN_SERVICE_ISSUER.*TOKEN_SERVICE_CALLERS/s);
    const refused = await runToEnd(['token-service', '--client-secret', 'hush'], { env });
    expect(refused).toMatchObject({ code: 1, printed: expect.stringContaining('unknown option') });
  });
});

/** An authorization server that answers a question when the test says so. */
async function startSlowServer() {
  const held = Promise.withResolvers<() => void>();
  const slow = createServer((asked, response) => {
    const send = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (asked.url?.startsWith('/.well-known/')) send({ issuer, introspection_endpoint: `${issuer}introspect` });
    else
      held.resolve(() => {
        send({ active: true, token_type: 'Bearer', aud: 'https://venues', sub: 'ada', scope: 'read:venues' });
      });
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const issuer = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
  onTestFinished(() => {
    slow.closeAllConnections();
    slow.close();
  });
  return { issuer, asked: held.promise };
}

function originIn(printed: string): string {
  return /listens at (\S+?);/.exec(printed)?.[1] ?? '';
}

function verify(origin: string, token: string | undefined): Promise<Response> {
  return fetch(`${origin}/token/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}` },
    body: JSON.stringify({ token }),
  });
}

function loginForm(audience: string): Record<string, string> {
  const { email, password } = server.world.main.user;
  return { grant_type: 'password', ...server.world.password_client, username: email, password, audience };
}
