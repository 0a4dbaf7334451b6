import { LRUCache } from 'lru-cache';

export type ParsedOrigin = Readonly<Pick<URL, 'protocol' | 'host' | 'hostname' | 'port' | 'origin'>>;

const MAX_LENGTH = 512;
const known = new LRUCache<string, ParsedOrigin>({ max: 1_000 });

/**
 * The parts of an address up to its host; undefined where it is none. Every request names origins, the same few again and
 * again, and to parse one takes longer than to look it up.
 */
export function parseOrigin(text: string): ParsedOrigin | undefined {
  const found = known.get(text);
  if (found) return found;
  const url = URL.parse(text);
  if (!url) return undefined;
  const { protocol, host, hostname, port, origin } = url;
  const parsed = { protocol, host, hostname, port, origin };
  if (text.length <= MAX_LENGTH) known.set(text, parsed);
  return parsed;
}
