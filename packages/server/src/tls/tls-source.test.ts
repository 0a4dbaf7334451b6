import { execFile } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { describeInChromium, launchChromium } from '../../test/chromium.ts';
import { keyPem, subjectAt, writeNamed } from '../../test/tls-files.ts';
import { createFileTls } from './file-tls.ts';
import { openLocalAuthority } from './local-authority.ts';
import type { TlsSource } from './serving.ts';
import { createTlsSource, ensureLocalCertificate } from './tls-source.ts';

const run = promisify(execFile);
const HOSTS = ['localhost', '*.localhost', 'id.test', '*.id.test'];
const now = () => new Date();
const closers: (() => unknown)[] = [];
let folder: string;
let log: { info: Mock<(message: string) => void>; warn: Mock<(message: string) => void> };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gw-tls-'));
  log = { info: vi.fn(), warn: vi.fn() };
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await rm(folder, { recursive: true, force: true });
});

describe('the local certificate authority', () => {
  it('keeps its key to its owner', async () => {
    const { caFile } = await ensureLocalCertificate({ folder: join(folder, 'tls'), hosts: HOSTS, now });
    expect((await stat(join(folder, 'tls'))).mode & 0o777).toBe(0o700);
    const names = await run('ls', [join(folder, 'tls')]);
    const [file] = names.stdout.split('\n').filter((name) => name.startsWith('authority-'));
    expect((await stat(join(folder, 'tls', file ?? ''))).mode & 0o777).toBe(0o600);
    expect(await readFile(caFile, 'utf8')).not.toContain('PRIVATE KEY');
  });

  it('is the same one for two servers that start at once, and after a restart', async () => {
    const [one, two] = await Promise.all([
      openLocalAuthority({ folder, hosts: HOSTS, now }),
      openLocalAuthority({ folder, hosts: HOSTS, now }),
    ]);
    const ca = await readFile(one.caFile, 'utf8');
    expect((await one.issue(['localhost'])).cert).toContain(ca.trim());
    expect((await two.issue(['localhost'])).cert).toContain(ca.trim());
    expect(await readFile((await openLocalAuthority({ folder, hosts: HOSTS, now })).caFile, 'utf8')).toBe(ca);
  });

  it('makes way for another one when the base domain changes, and before it expires', async () => {
    const ca = await readFile((await openLocalAuthority({ folder, hosts: HOSTS, now })).caFile, 'utf8');
    const other = await openLocalAuthority({ folder, hosts: ['localhost', 'login.test'], now });
    expect(await readFile(other.caFile, 'utf8')).not.toBe(ca);
    const late = () => new Date(Date.now() + 3_600 * 86_400_000);
    const later = await openLocalAuthority({ folder, hosts: HOSTS, now: late });
    expect(await readFile(later.caFile, 'utf8')).not.toBe(ca);
  });

  it('says which file is damaged', async () => {
    await openLocalAuthority({ folder, hosts: HOSTS, now });
    const file = (await run('ls', [folder])).stdout.split('\n').find((name) => name.startsWith('authority-')) ?? '';
    await writeFile(join(folder, file), 'nonsense');
    await expect(openLocalAuthority({ folder, hosts: HOSTS, now })).rejects.toThrow(file);
  });

  it('issues certificates that live 90 days, for the names asked', async () => {
    const { cert } = await ensureLocalCertificate({ folder, hosts: HOSTS, now });
    const leaf = new X509Certificate(cert);
    expect(leaf.subjectAltName).toBe(
      'DNS:localhost, DNS:*.localhost, DNS:id.test, DNS:*.id.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect((leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 86_400_000).toBeLessThan(397);
    expect(leaf.ca).toBe(false);
  });

  it.each([
    ['dev.localhost', []],
    ['acme.id.test', []],
    ['localhost', ['127.0.0.1', '127.9.9.9', '::1']],
  ])('vouches for %s, says openssl', async (name, addresses) => {
    expect(await opensslVerify([name], addresses)).toContain(': OK');
  });

  it.each([
    ['evil.example.com', []],
    ['localhost.example.com', []],
    ['notid.test', []],
    ['localhost', ['10.0.0.1']],
    ['localhost', ['128.0.0.1']],
    ['localhost', ['::2']],
  ])('is refused for %s %s, which its constraint leaves out', async (name, addresses) => {
    expect(await opensslVerify([name], addresses)).toMatch(/permitted subtree violation/);
  });

  async function opensslVerify(names: string[], addresses: string[]): Promise<string> {
    const authority = await openLocalAuthority({ folder, hosts: HOSTS, now });
    const leaf = join(folder, 'leaf.pem');
    await writeFile(leaf, (await authority.issue(names, addresses)).cert);
    const done = await run('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      authority.caFile,
      leaf,
    ]).catch((failed: { stdout: string; stderr: string }) => failed);
    return done.stdout + done.stderr;
  }
});

describe('https with a certificate of the local authority', () => {
  it.each(['localhost', 'dev.localhost', 'a.very-long.localhost', '127.0.0.1'])(
    'serves node and curl at %s',
    async (host) => {
      const { port, caFile } = await listen();
      if (host.split('.').length > 2 && host.endsWith('.localhost')) {
        // Two labels below localhost are no tenant: the standing certificate answers, and the client refuses it.
        await expect(fetchOver(host, port, await readFile(caFile, 'utf8'))).rejects.toThrow(/altnames/);
        return;
      }
      expect(await fetchOver(host, port, await readFile(caFile, 'utf8'))).toBe('hello');
      const { stdout } = await run('curl', ['-sS', '--noproxy', '*', '--cacert', caFile, `https://${host}:${port}/`]);
      expect(stdout).toBe('hello');
    },
  );

  it('is refused by a client that does not trust the authority', async () => {
    const { port } = await listen();
    await expect(fetchOver('localhost', port, undefined)).rejects.toThrow(/certificate/);
  });

  it('renews its certificates before they expire, once', async () => {
    let time = Date.now();
    const source = await createTlsSource({ folder, hosts: HOSTS, log, now: () => new Date(time) });
    closers.push(() => source.close());
    const announced = vi.fn();
    source.onChange(announced);
    const [standing, dev] = [
      await source.secureContextFor('localhost'),
      await source.secureContextFor('dev.localhost'),
    ];
    const { cert } = source.serverOptions();
    time += 61 * 86_400_000;
    const renewed = await Promise.all([source.secureContextFor('localhost'), source.secureContextFor('localhost')]);
    expect(renewed[0]).not.toBe(standing);
    expect(renewed[1]).toBe(renewed[0]);
    expect(await source.secureContextFor('dev.localhost')).not.toBe(dev);
    expect(source.serverOptions().cert).not.toBe(cert);
    expect(announced).toHaveBeenCalledOnce();
  });

  it('issues for a tenant once, and not for names outside its domains', async () => {
    const source = await localSource();
    const dev = await source.secureContextFor('dev.localhost');
    expect(await source.secureContextFor('DEV.localhost')).toBe(dev);
    const standing = await source.secureContextFor('localhost');
    expect(await source.secureContextFor('dev.example.com')).toBe(standing);
    expect(await source.secureContextFor('x_y.localhost')).toBe(standing);
  });
});

describeInChromium('the local certificate authority in Chromium', () => {
  it('opens a page when the hash of the authority’s key is named', async () => {
    const { port, caFile } = await listen();
    const browser = await launchChromium({ caFile });
    closers.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`https://dev.localhost:${port}/`);
    expect(await page.textContent('body')).toBe('hello');
  });
});

describe('https with TLS_CERT_FILE and TLS_KEY_FILE', () => {
  it('takes a new pair over without a restart', async () => {
    const files = await writePair('first.test');
    const source = await fileSource(files);
    const { port } = await listen(source);
    expect(await subjectAt(port)).toBe('first.test');
    const changed = new Promise<void>((resolve) => source.onChange(resolve));
    await writePair('second.test');
    await changed;
    expect(await subjectAt(port)).toBe('second.test');
  });

  it('keeps the old pair, and says so once, when the new one does not match', async () => {
    const files = await writePair('first.test');
    const source = await fileSource(files);
    const { port } = await listen(source);
    await writeFile(files.keyFile, keyPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
    await vi.waitFor(() => expect(log.warn).toHaveBeenCalledOnce(), 60_000);
    expect(log.warn.mock.calls[0]?.[0]).toMatch(/is not the key of .* previous certificate stays in use/);
    expect(await subjectAt(port)).toBe('first.test');
  });

  it.each([
    ['no such file', { certFile: '/nowhere.pem' }, /TLS_CERT_FILE can't be read: \/nowhere.pem \(ENOENT\)/],
    ['a file that is no certificate', { certFile: import.meta.filename }, /TLS_CERT_FILE holds no certificate/],
    ['a file that is no key', { keyFile: import.meta.filename }, /TLS_KEY_FILE holds no unencrypted private key/],
    ['only one of the two', { keyFile: undefined }, /belong together/],
  ])('stops the start at %s', async (_case, wrong, message) => {
    const files = await writePair('first.test');
    await expect(createTlsSource({ ...files, ...wrong, folder, hosts: HOSTS, log })).rejects.toThrow(message);
  });
});

async function localSource(): Promise<TlsSource> {
  const source = await createTlsSource({ folder: join(folder, 'tls'), hosts: HOSTS, log });
  closers.push(() => source.close());
  return source;
}

async function fileSource(files: { certFile: string; keyFile: string }): Promise<TlsSource> {
  const source = await createFileTls({ ...files, log, pollEvery: 500 });
  closers.push(() => source.close());
  return source;
}

async function listen(given?: TlsSource): Promise<{ port: number; caFile: string }> {
  const source = given ?? (await localSource());
  const server: Server = createServer(source.serverOptions(), (_request, response) => response.end('hello'));
  source.onChange(() => server.setSecureContext(source.serverOptions()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, caFile: source.caFile ?? '' };
}

function fetchOver(host: string, port: number, ca: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent: false, family: 4, lookup: loopback, ...(ca === undefined ? {} : { ca }) };
    get(options, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });
}

const loopback = (_host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
  done(null, '127.0.0.1', 4);

async function writePair(subject: string): Promise<{ certFile: string; keyFile: string }> {
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  await writeNamed(files, subject);
  return files;
}
