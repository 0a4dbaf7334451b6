import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/**
 * Has this process trust the authority that a Gatewright of this machine made, besides all that it trusts already. It is
 * constrained to localhost, the base domain and loopback addresses. Nothing where there is none.
 */
export function trustAuthority(file: string): void {
  try {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')]);
  } catch {}
}
