import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { checkPair, readPair, watchFolder } from './pem-files.ts';
import { createServing, type KeyPair, notAfterOf, secureContextOf, type TlsLog, type TlsSource } from './serving.ts';

interface Options {
  readonly folder: string;
  readonly log: TlsLog;
  readonly pollEvery?: number;
}

interface Host {
  readonly pair: KeyPair;
  readonly context: SecureContext;
}

const SETTLE = 200;
const MOST_CERTIFICATES = 10_000;
/** `login.example.com`, `*.id.example.com` as `_.id.example.com` or `*.id.example.com`, and `default`. */
const NAME = /^(?:default|(?:[*_]\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

/**
 * TLS_CERT_FILE as a folder: a certificate for each host name, taken by SNI. `<name>.pem` with `<name>.key`, or, as certbot lays
 * them out, `<name>/fullchain.pem` with `<name>/privkey.pem`. `default` is for clients without a name and for other names.
 * Each pair is replaced by itself; one that is broken, or half written, leaves the previous one in use.
 */
export async function createFolderTls({ folder, log, pollEvery = 30_000 }: Options): Promise<TlsSource> {
  let hosts = new Map<string, Host>();
  const refused = new Map<string, string>();
  let settling: NodeJS.Timeout | undefined;
  let closed = false;

  const standing = (): Host => {
    const host = hosts.get('default') ?? hosts.values().next().value;
    if (!host) throw new Error(`TLS_CERT_FILE is a folder without a usable certificate: ${folder}.`);
    return host;
  };

  async function secureContextFor(servername: string): Promise<SecureContext> {
    const name = servername.toLowerCase();
    const wildcard = name.slice(name.indexOf('.') + 1);
    const host = hosts.get(name) ?? hosts.get(`*.${wildcard}`) ?? hosts.get(`_.${wildcard}`) ?? standing();
    return host.context;
  }

  const serving = createServing(() => standing().pair, secureContextFor);

  async function look(): Promise<void> {
    const found = await filesIn(folder);
    const next = new Map<string, Host>();
    for (const [name, files] of found) {
      const known = hosts.get(name);
      const host = await readHost(name, files, known);
      if (host) next.set(name, host);
    }
    if (closed) return;
    // A folder that can't be read for a moment, or is empty while it is replaced, ends nothing.
    if (next.size === 0 && hosts.size > 0) return;
    const isChanged = next.size !== hosts.size || [...next].some(([name, host]) => hosts.get(name) !== host);
    for (const name of next.keys())
      if (hosts.size > 0 && hosts.get(name) !== next.get(name))
        log.info(`The certificate for ${name} changed and is in use.`);
    hosts = next;
    if (isChanged) serving.announce();
  }

  async function readHost(
    name: string,
    files: { readonly certFile: string; readonly keyFile: string },
    known: Host | undefined,
  ): Promise<Host | undefined> {
    try {
      const pair = await readPair(files);
      if (known && known.pair.cert === pair.cert && known.pair.key === pair.key) return known;
      checkPair(pair, files);
      refused.delete(name);
      return { pair, context: secureContextOf(pair) };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (refused.get(name) !== reason && !closed)
        log.warn(`${reason} ${known ? 'The previous certificate stays in use.' : 'It is passed over.'}`);
      refused.set(name, reason);
      return known;
    }
  }

  function lookSoon(): void {
    clearTimeout(settling);
    settling = setTimeout(() => void look(), SETTLE).unref();
  }

  await look();
  standing();
  const watchers = watchFolder(folder, lookSoon);
  // Folders of certbot's are not watched one by one: they are found here.
  const poll = setInterval(() => void look(), pollEvery).unref();

  return {
    caFile: null,
    serverOptions: serving.serverOptions,
    secureContextFor,
    onChange: serving.onChange,
    certificates: () => [...hosts].map(([name, { pair }]) => ({ name, notAfter: notAfterOf(pair) })),
    close: () => {
      closed = true;
      clearTimeout(settling);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function filesIn(folder: string): Promise<Map<string, { certFile: string; keyFile: string }>> {
  const found = new Map<string, { certFile: string; keyFile: string }>();
  for (const entry of (await readdir(folder, { withFileTypes: true }).catch(() => [])).slice(
    0,
    2 * MOST_CERTIFICATES,
  )) {
    const isFile = entry.name.endsWith('.pem');
    const name = (isFile ? entry.name.slice(0, -'.pem'.length) : entry.name).toLowerCase();
    if (!NAME.test(name)) continue;
    const place = join(folder, entry.name);
    if (isFile) found.set(name, { certFile: place, keyFile: `${place.slice(0, -'.pem'.length)}.key` });
    else if (entry.isDirectory() || entry.isSymbolicLink())
      found.set(name, { certFile: join(place, 'fullchain.pem'), keyFile: join(place, 'privkey.pem') });
  }
  return found;
}
