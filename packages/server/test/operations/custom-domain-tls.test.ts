import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as ask } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/kit/log.ts';
import { serve } from '../../src/start/start-listening.ts';
import { openLocalAuthority } from '../../src/tls/local-authority.ts';
import { type DnsServer, startDnsServer } from '../dns-server.ts';
import { freePorts } from '../free-ports.ts';
import { decodeJwt } from '../protocol.ts';
import { CALLBACK, createVisitor } from '../visitor.ts';
import { startWorld, type World, type WorldRequest } from '../world.ts';

const BASE = 'id.example.com';
const DOMAIN = 'login.example.org';
const HERE = { origin: `https://${DOMAIN}` };

let world: World;
let dns: DnsServer;
let folder: string;
let port: number;
let ca: string;
let issue: (name: string) => Promise<void>;
const undo: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-folder-'));
  dns = await startDnsServer();
  world = await startWorld({ config: { baseDomain: BASE }, resolver: dns.resolver });
  const hosts = [DOMAIN, BASE, 'unknown.example.org'];
  const authority = await openLocalAuthority({ folder: join(folder, 'authority'), hosts, now: () => new Date() });
  ca = await readFile(authority.caFile, 'utf8');
  issue = async (name) => {
    const { cert, key } = await authority.issue([name === 'default' ? BASE : name]);
    const place = join(folder, 'certificates', name);
    for (const [ending, content] of [
      ['.key', key],
      ['.pem', cert],
    ] as const) {
      await writeFile(`${place}${ending}.new`, content);
      await rename(`${place}${ending}.new`, `${place}${ending}`);
    }
  };
  await mkCertificates();
  const [httpPort, httpsPort] = await freePorts();
  port = httpsPort;
  const config = readConfig({
    PORT: String(httpPort),
    HTTPS_PORT: String(port),
    GATEWRIGHT_DATA_DIR: folder,
    TLS_CERT_FILE: join(folder, 'certificates'),
  });
  await serve(
    config,
    world.app,
    createLog('json', () => {}),
    undo,
    100,
  );
});
afterAll(async () => {
  for (const step of undo.reverse()) await step();
  await world.stop();
  dns.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('https at a custom domain, with a folder of certificates', () => {
  it('has its certificate, the login page and tokens whose issuer it is, once it is verified', async () => {
    expect((await send({ path: '/.well-known/openid-configuration' })).statusCode).toBe(404);
    await verifyDomain();

    const visitor = createVisitor(send, { ...world.main, ...HERE });
    const { response, verifier } = await visitor.authorize();
    expect([response.statusCode, response.body]).toEqual([200, expect.stringContaining('name="password"')]);
    expect([...visitor.cookies.keys()].every((name) => name.startsWith('__Host-gw-dev'))).toBe(true);
    const { username, password } = { username: world.user.email, password: world.user.password };
    const back = await visitor.follow(await visitor.submit(response, { username, password }));
    const answer = new URL(String(back.headers.location)).searchParams;
    expect(answer.get('iss')).toBe(`${HERE.origin}/`);

    const form = {
      grant_type: 'authorization_code',
      client_id: world.spa_client.client_id,
      code: String(answer.get('code')),
      code_verifier: verifier,
      redirect_uri: CALLBACK,
    };
    const tokens = (await send({ path: '/oauth/token', form })).json();
    expect(decodeJwt(tokens.id_token).claims).toMatchObject({ iss: `${HERE.origin}/` });
    const userinfo = await send({ path: '/userinfo', headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(userinfo.json()).toMatchObject({ email: world.user.email });
    const discovery = (await send({ path: '/.well-known/openid-configuration' })).json();
    expect(discovery).toMatchObject({ issuer: `${HERE.origin}/`, jwks_uri: `${HERE.origin}/.well-known/jwks.json` });
    expect((await send({ path: new URL(discovery.jwks_uri).pathname })).json().keys.length).toBeGreaterThan(0);
  });

  it('takes a renewed certificate without a restart', async () => {
    const serial = async () => (await handshake(DOMAIN)).serialNumber;
    const before = await serial();
    expect(await serial()).toBe(before);
    await issue(DOMAIN);
    await vi.waitFor(async () => expect(await serial()).not.toBe(before), { timeout: 60_000, interval: 100 });
  });

  it('shows names without a certificate the default one, which their clients refuse, and serves no tenant there', async () => {
    await expect(handshake('unknown.example.org')).rejects.toThrow(/altnames/);
    const certificate = await handshake('unknown.example.org', { rejectUnauthorized: false });
    expect(certificate.subjectAltName).toBe(`DNS:${BASE}`);
    const asked = { path: '/.well-known/openid-configuration', tenant: { origin: 'https://unknown.example.org' } };
    expect((await send(asked, { rejectUnauthorized: false })).statusCode).toBe(404);
  });
});

async function mkCertificates(): Promise<void> {
  await mkdir(join(folder, 'certificates'));
  for (const name of ['default', DOMAIN]) await issue(name);
}

async function verifyDomain(): Promise<void> {
  const api = world.api();
  const { custom_domain_id: id, verification } = (
    await api.post('/custom-domains', { domain: DOMAIN, type: 'self_managed_certs' })
  ).json();
  const { domain, record } = verification.methods.find(({ name }: { name: string }) => name === 'txt');
  dns.set('TXT', domain, record);
  expect((await api.post(`/custom-domains/${id}/verify`)).json()).toMatchObject({ status: 'ready' });
}

interface Trust {
  readonly rejectUnauthorized?: boolean;
}

/** As a browser asks that found the server in the DNS: by name, over TLS, trusting nobody but the authority. */
async function send(asked: WorldRequest, trust: Trust = {}): Promise<Response> {
  const { host } = new URL((asked.tenant ?? HERE).origin);
  const body = asked.form && new URLSearchParams(asked.form).toString();
  const message = await open(host, trust, {
    path: asked.path,
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...asked.headers,
    },
    body,
  });
  let text = '';
  for await (const chunk of message.setEncoding('utf8')) text += chunk;
  const { statusCode, headers } = message;
  const cookies = (headers['set-cookie'] ?? []).map((line) => {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    return { name, value };
  });
  return { statusCode, headers, body: text, cookies, json: () => JSON.parse(text) } as unknown as Response;
}

async function handshake(servername: string, trust: Trust = {}): Promise<X509Certificate> {
  const message = await open(servername, trust, { path: '/health/live', method: 'GET', headers: {} });
  message.resume();
  return new X509Certificate((message.socket as TLSSocket).getPeerCertificate().raw);
}

async function open(
  host: string,
  trust: Trust,
  {
    body,
    headers,
    ...asked
  }: { path: string; method: string; headers: Record<string, string>; body?: string | undefined },
): Promise<IncomingMessage> {
  const request = ask({
    host: '127.0.0.1',
    port,
    servername: host,
    ca,
    agent: false,
    headers: { ...headers, host },
    ...asked,
    ...trust,
  });
  request.end(body);
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return message;
}
