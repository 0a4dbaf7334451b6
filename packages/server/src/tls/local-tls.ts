import type { SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { IssuedCertificate, LocalAuthority } from './local-authority.ts';
import { createServing, secureContextOf, type TlsLog, type TlsSource } from './serving.ts';

interface Options {
  readonly authority: LocalAuthority;
  readonly hosts: readonly string[];
  readonly log: TlsLog;
}

const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'];
const NAMES_KEPT = 500;
const RENEWAL_CHECK = 3_600_000;
/** A tenant's name, one DNS label. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Serves certificates of the local authority. Browsers refuse a wildcard directly under a top-level name, `*.localhost`,
 * so each tenant's name gets a certificate of its own when a client first asks for it.
 */
export async function createLocalTls({ authority, hosts, log }: Options): Promise<TlsSource> {
  let standing = await issueStanding();
  let renewal: Promise<void> | undefined;
  const byName = new LRUCache<string, Promise<Served>>({ max: NAMES_KEPT });
  const serving = createServing(() => standing.issued, secureContextFor);

  const timer = setInterval(() => void renewIfDue(), RENEWAL_CHECK).unref();

  async function issueStanding(): Promise<Served> {
    return serve(await authority.issue(hosts, LOOPBACK_ADDRESSES));
  }

  async function secureContextFor(servername: string): Promise<SecureContext> {
    await renewIfDue();
    const name = servername.toLowerCase();
    if (!isTenantName(name, authority.domains)) return standing.context;
    const kept = byName.get(name);
    if (kept && !isDue((await kept).issued)) return (await kept).context;
    const made = authority.issue([name]).then(serve);
    byName.set(name, made);
    made.catch(() => byName.delete(name));
    return (await made).context;
  }

  /** At each handshake too: a laptop that slept for months must not serve an expired certificate until the next check. */
  async function renewIfDue(): Promise<void> {
    if (!isDue(standing.issued)) return;
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    await renewal;
  }

  async function renew(): Promise<void> {
    try {
      standing = await issueStanding();
      log.info('The certificate for https on localhost was renewed.');
      serving.announce();
    } catch (cause) {
      log.warn(`The certificate for https on localhost could not be renewed: ${String(cause)}`);
    }
  }

  const isDue = (issued: IssuedCertificate): boolean => issued.renewAt <= authority.now();

  return {
    caFile: authority.caFile,
    serverOptions: serving.serverOptions,
    secureContextFor,
    onChange: serving.onChange,
    certificates: () => [],
    close: () => clearInterval(timer),
  };
}

interface Served {
  readonly issued: IssuedCertificate;
  readonly context: SecureContext;
}

const serve = (issued: IssuedCertificate): Served => ({ issued, context: secureContextOf(issued) });

/** One label below one of the authority's domains: nobody can make the server sign for arbitrary names. */
function isTenantName(name: string, domains: readonly string[]): boolean {
  const dot = name.indexOf('.');
  return dot > 0 && LABEL.test(name.slice(0, dot)) && domains.includes(name.slice(dot + 1));
}
