import { checkKey, countBytes, toLifetime } from '../caches/cache-bounds.ts';
import type { TokenCache } from '../caches/token-cache.ts';
import { pickServer } from './pick-server.ts';
import type { Answer } from './read-answers.ts';
import { readServerAddress } from './server-address.ts';
import { createServerLink, type ServerChange, type ServerLink } from './server-link.ts';

export type { ServerChange } from './server-link.ts';

export interface MemcachedCacheOptions {
  /** `host:port`, or the path of a unix socket; the same, spelled alike, at all services that share the cache. */
  readonly servers: readonly string[];
  /** How long a call may take at most; a server that is away takes none. */
  readonly deadlineMs?: number;
  /** Told when a server is up or away, for logs and metrics. */
  readonly onChange?: (change: ServerChange) => void;
}

/** What the longest command without its value takes, for the bound of bytes under way. */
const COMMAND_BYTES = 350;

/**
 * The cache that the services of a company share: memcached 1.6.10 or newer, by its meta protocol.
 *
 *     const cache = createMemcachedCache({ servers: ['10.0.0.5:11211'] });
 *
 * It connects at once and for as long as it is open; it keeps no process alive.
 */
export function createMemcachedCache({ servers, deadlineMs = 20, onChange }: MemcachedCacheOptions): TokenCache {
  const addresses = [...new Set(servers)].map(readServerAddress);
  if (addresses.length === 0) throw new TypeError('servers: at least one address is needed.');
  if (!(deadlineMs > 0 && deadlineMs <= 60_000)) throw new TypeError('deadlineMs: 1 to 60000 milliseconds.');
  const links = addresses.map((address) => createServerLink(address, { deadlineMs, onChange }));

  return {
    async get(key) {
      const answer = await ask(linkOf(key), `mg ${key} v c`, ['VA', 'EN']);
      if (answer.value === undefined) return undefined;
      return { value: answer.value, version: answer.cas ?? '' };
    },
    async set(key, value, lifetimeSeconds) {
      await store(key, value, lifetimeSeconds, '', ['HD']);
    },
    async add(key, value, lifetimeSeconds) {
      const answer = await store(key, value, lifetimeSeconds, ' ME', ['HD', 'NS']);
      return answer.code === 'HD';
    },
    async replace(key, value, lifetimeSeconds, version) {
      // 0 would be no comparison at all.
      const cas = /^[1-9]\d{0,19}$/.test(version) ? version : '18446744073709551615';
      const answer = await store(key, value, lifetimeSeconds, ` C${cas}`, ['HD', 'EX', 'NF']);
      if (answer.code === 'HD') return 'stored';
      return answer.code === 'EX' ? 'changed' : 'missing';
    },
    async delete(key) {
      await ask(linkOf(key), `md ${key}`, ['HD', 'NF']);
    },
    async close() {
      for (const link of links) link.close();
    },
  };

  function store(
    key: string,
    value: string,
    lifetimeSeconds: number,
    flags: string,
    answers: readonly string[],
  ): Promise<Answer> {
    const link = linkOf(key);
    const bytes = countBytes(value);
    // 0 would be for ever.
    const lifetime = toLifetime(lifetimeSeconds) || -1;
    return ask(link, `ms ${key} ${bytes} T${lifetime}${flags}`, answers, { value, bytes });
  }

  function linkOf(key: string): ServerLink {
    checkKey(key);
    return pickServer(links, key);
  }
}

function ask(
  link: ServerLink,
  command: string,
  answers: readonly string[],
  stored?: { readonly value: string; readonly bytes: number },
): Promise<Answer> {
  const bytes = COMMAND_BYTES + (stored?.bytes ?? 0);
  return link.ask({ command, answers, bytes, ...(stored && { value: stored.value }) });
}
