import { execFileSync } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { call } from './calls.ts';

const DISCOVERY = '/.well-known/openid-configuration';

/** The issuer that discovery tells, or the status where it tells none. */
async function issuerAt(server: ServerProcess, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const { status, body } = await call(server.httpOrigin, DISCOVERY, { headers });
  return status === 200 ? body.issuer : status;
}

describe('GATEWRIGHT_ORIGIN', { timeout: 60_000 }, () => {
  it('is the only origin of the default tenant; a trusted proxy says which host was asked for', async () => {
    const server = await startServerProcess({
      env: {
        GATEWRIGHT_ORIGIN: 'https://login.example.com/',
        TRUSTED_PROXIES: '127.0.0.1',
        HTTPS_PORT: '0',
      },
    });
    try {
      const { host } = new URL(server.httpOrigin);
      expect(server.log()).toContain(
        'The default tenant answers at https://login.example.com alone (GATEWRIGHT_ORIGIN).',
      );
      expect(server.firstRun.origin).toBe('https://login.example.com');
      expect(server.firstRun.management.audience).toBe('https://login.example.com/api/v2/');
      expect(await issuerAt(server, { host })).toBe(404);
      expect(await issuerAt(server, { host: `dev.${host}` })).toBe(404);
      expect(await issuerAt(server, { host: 'login.example.com' })).toBe(404);
      const forwarded = { host, 'x-forwarded-host': 'login.example.com', 'x-forwarded-proto': 'https' };
      expect(await issuerAt(server, forwarded)).toBe('https://login.example.com/');
      expect(await issuerAt(server, { ...forwarded, 'x-forwarded-host': 'evil.example.com' })).toBe(404);
      expect(await issuerAt(server, { ...forwarded, 'x-forwarded-proto': 'http' })).toBe(404);
    } finally {
      await server.stop();
    }
  });
});

describe('Without proxies', { timeout: 60_000 }, () => {
  it('forwarded headers count for nothing; HTTPS_PORT=0 leaves http alone, without a certificate', async () => {
    const server = await startServerProcess({ env: { HTTPS_PORT: '0', HOST: '127.0.0.1' } });
    try {
      const { host } = new URL(server.httpOrigin);
      expect(server.firstRun).toMatchObject({ origin: `http://${host}`, http_origin: `http://${host}`, ca_file: null });
      const issuer = `http://${host}/`;
      expect(await issuerAt(server, { host })).toBe(issuer);
      for (const header of ['x-forwarded-host', 'x-forwarded-server', 'x-original-host', 'x-host']) {
        expect({ header, issuer: await issuerAt(server, { host, [header]: 'evil.example.com' }) }).toEqual({
          header,
          issuer,
        });
      }
      expect(
        await issuerAt(server, { host, forwarded: 'host=evil.example.com;proto=https', 'x-forwarded-proto': 'https' }),
      ).toBe(issuer);
    } finally {
      await server.stop();
    }
  });
});

describe('TLS_CERT_FILE and TLS_KEY_FILE', { timeout: 60_000 }, () => {
  it('are served, and what replaces them as well', async () => {
    const folder = await temporaryFolder();
    const cert = join(folder, 'cert.pem');
    const key = join(folder, 'key.pem');
    makeCertificate(cert, key, 'first');
    const server = await startServerProcess({
      env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key },
    });
    try {
      expect(server.firstRun.ca_file).toBeNull();
      const url = `${server.origin}/health/live`;
      expect(await subjectOf(url, await readFile(cert, 'utf8'))).toBe('first');
      makeCertificate(`${cert}.new`, `${key}.new`, 'second');
      await rename(`${key}.new`, key);
      await rename(`${cert}.new`, cert);
      await vi.waitFor(async () => expect(await subjectOf(url, await readFile(cert, 'utf8'))).toBe('second'), {
        timeout: 60_000,
        interval: 100,
      });
    } finally {
      await server.stop();
    }
  });
});

function makeCertificate(cert: string, key: string, name: string): void {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
}

function subjectOf(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpsRequest(url, { ca, agent: false }, (incoming) => {
      const socket = incoming.socket;
      const name = 'getPeerCertificate' in socket ? Object(socket).getPeerCertificate().subject.CN : '';
      incoming.resume().on('end', () => resolve(String(name)));
    })
      .on('error', reject)
      .end();
  });
}
