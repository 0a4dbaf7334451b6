/**
 * Rendezvous hashing: each server bids for a key and the highest bid has it, so that a server more or less moves its own share of
 * the keys only. Where the server of a key is away no other takes its place: two services that see different servers would keep
 * two entries of one token.
 */
export function pickServer<S extends { readonly name: string }>(servers: readonly S[], key: string): S {
  const [first, ...others] = servers;
  if (!first) throw new TypeError('servers: at least one address is needed.');
  if (others.length === 0) return first;
  let best = first;
  let highest = bid(first.name, key);
  for (const server of others) {
    const bidden = bid(server.name, key);
    if (bidden > highest) [best, highest] = [server, bidden];
  }
  return best;
}

/** FNV-1a, and the last steps of MurmurHash3, without which names that differ at their end bid nearly alike. */
function bid(name: string, key: string): number {
  let hash = 0x811c9dc5;
  const text = `${key}\n${name}`;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
