import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { subjectAt, writeNamed } from '../../test/tls-files.ts';
import { createFolderTls } from './folder-tls.ts';
import type { TlsSource } from './serving.ts';
import { createTlsSource } from './tls-source.ts';
import { warnOfExpiry } from './warn-of-expiry.ts';

const closers: (() => unknown)[] = [];
let folder: string;
let log: { info: Mock<(message: string) => void>; warn: Mock<(message: string) => void> };

beforeEach(async () => {
  folder = await temporaryFolder();
  log = { info: vi.fn(), warn: vi.fn() };
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('https with a folder of certificates by host name', () => {
  const nameAt = subjectAt;

  it('takes the certificate of the name that is asked for, in either layout', async () => {
    await writeHost('default', 'default.test');
    await writeHost('login.example.org', 'login.example.org');
    await writeHost('_.id.example.org', 'any.id.example.org');
    await mkdir(join(folder, 'certbot.example.org'));
    await writeNamed(
      {
        certFile: join(folder, 'certbot.example.org/fullchain.pem'),
        keyFile: join(folder, 'certbot.example.org/privkey.pem'),
      },
      'certbot.example.org',
    );
    const { port } = await listen(await folderSource());
    expect(await nameAt(port, 'login.example.org')).toBe('login.example.org');
    expect(await nameAt(port, 'LOGIN.example.org')).toBe('login.example.org');
    expect(await nameAt(port, 'acme.id.example.org')).toBe('any.id.example.org');
    expect(await nameAt(port, 'certbot.example.org')).toBe('certbot.example.org');
    expect(await nameAt(port, 'other.example.org')).toBe('default.test');
    expect(await subjectAt(port)).toBe('default.test');
  });

  it('takes over what is replaced and what is new, and keeps what is half written, saying so once', async () => {
    await writeHost('default', 'default.test');
    const files = await writeHost('login.example.org', 'first.test');
    const source = await folderSource();
    const { port } = await listen(source);
    const whole = await readFile(files.certFile, 'utf8');
    await writeFile(files.certFile, whole.slice(0, whole.length / 2));
    await vi.waitFor(() => expect(log.warn).toHaveBeenCalled(), 60_000);
    expect(log.warn.mock.calls[0]?.[0]).toMatch(/login\.example\.org\.pem.* previous certificate stays in use/);
    expect(await nameAt(port, 'login.example.org')).toBe('first.test');
    await writeHost('login.example.org', 'second.test');
    await writeHost('new.example.org', 'new.test');
    await vi.waitFor(async () => expect(await nameAt(port, 'login.example.org')).toBe('second.test'), 60_000);
    await vi.waitFor(async () => expect(await nameAt(port, 'new.example.org')).toBe('new.test'), 60_000);
    expect(
      source
        .certificates()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['default', 'login.example.org', 'new.example.org']);
  });

  it('warns of what ends within two weeks, by name', async () => {
    await writeHost('default', 'default.test');
    const source = await folderSource();
    closers.push(warnOfExpiry(source.certificates, log));
    expect(log.warn.mock.calls[0]?.[0]).toMatch(/^The certificate for default ends in 0 days, on 2/);
    log.warn.mockClear();
    closers.push(warnOfExpiry(source.certificates, log, () => Date.now() + 2 * 86_400_000));
    expect(log.warn.mock.calls[0]?.[0]).toMatch(/^The certificate for default ended on .*: clients refuse it\.$/);
    log.warn.mockClear();
    closers.push(warnOfExpiry(source.certificates, log, () => Date.now() - 30 * 86_400_000));
    expect(log.warn).not.toHaveBeenCalled();
  });

  it('stops the start where there is none', async () => {
    await expect(createTlsSource({ certFile: folder, folder, hosts: ['localhost'], log })).rejects.toThrow(
      /a folder without a usable certificate/,
    );
  });

  async function folderSource(): Promise<TlsSource> {
    const source = await createFolderTls({ folder, log, pollEvery: 500 });
    closers.push(() => source.close());
    return source;
  }

  async function writeHost(name: string, subject: string) {
    const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
    await writeNamed(files, subject);
    return files;
  }
});

async function listen(source: TlsSource): Promise<{ port: number }> {
  const server = createServer(source.serverOptions(), (_request, response) => response.end('hello'));
  source.onChange(() => server.setSecureContext(source.serverOptions()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port };
}
