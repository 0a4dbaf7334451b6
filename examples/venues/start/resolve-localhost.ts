// Names below localhost are this machine (RFC 6761 section 6.3), but Node asks the system, which may not know them. Only a demo needs
// this: in production tenants have names of their own. Loaded by `node --import` before a service, whose code knows nothing of it.
import dns from 'node:dns';

const { lookup } = dns;

Reflect.set(dns, 'lookup', (hostname: string, ...rest: unknown[]) =>
  Reflect.apply(lookup, dns, [/\.localhost$/i.test(hostname) ? '127.0.0.1' : hostname, ...rest]),
);
