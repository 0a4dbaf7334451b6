import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/**
 * What NODE_EXTRA_CA_CERTS does before Node starts, done while it runs: every https client of this process then trusts
 * the authority, without an option of its own. extra-ca-certs.test.ts
 * proves NODE_EXTRA_CA_CERTS itself.
 */
export function trustAuthority(caFile: string): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
}
