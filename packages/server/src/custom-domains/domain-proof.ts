import type { CustomDomain } from './custom-domain.ts';

/** The part of node:dns/promises' Resolver that is used: tests bring one that asks a server of theirs. */
export interface DnsResolver {
  resolveTxt(name: string): Promise<string[][]>;
  resolveCname(name: string): Promise<string[]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
}

export interface ProofMethod {
  readonly name: 'txt' | 'cname';
  readonly record: string;
  readonly domain: string;
}

type Claim = Pick<CustomDomain, 'domain' | 'proof' | 'settings'>;

const TXT_PREFIX = 'gatewright-domain-verification=';
const MOST_RECORDS = 100;

/** The records that prove a domain, any one of them: a CNAME needs a base domain that the DNS knows, a TXT record always works. */
export function proofMethods(claim: Claim, baseDomain: string): readonly ProofMethod[] {
  const { domain, proof, settings } = claim;
  const txt: ProofMethod = { name: 'txt', record: `${TXT_PREFIX}${proof}`, domain: `_gatewright.${domain}` };
  const isPublic = baseDomain.includes('.') && !baseDomain.endsWith('.localhost');
  if (!isPublic || settings.type === 'self_managed_certs' || settings.verification_method === 'txt') return [txt];
  return [{ name: 'cname', record: `${proof}.${baseDomain}`, domain }, txt];
}

/** Undefined where one of the records is there; else what the DNS says instead. */
export async function faultOfProof(
  resolver: DnsResolver,
  claim: Claim,
  baseDomain: string,
): Promise<string | undefined> {
  const faults: string[] = [];
  for (const method of proofMethods(claim, baseDomain)) {
    const found = await recordsOf(resolver, method);
    if (typeof found === 'string') faults.push(found);
    else if (found.some((record) => isSame(method, record))) return undefined;
    else faults.push(`${method.domain} has no ${method.name.toUpperCase()} record ${method.record}.`);
  }
  return faults.join(' ');
}

/** Whether browsers find anything under the name. */
export async function faultOfAddress(resolver: DnsResolver, domain: string): Promise<string | undefined> {
  const answers = await Promise.allSettled([resolver.resolve4(domain), resolver.resolve6(domain)]);
  const isFound = answers.some((answer) => answer.status === 'fulfilled' && answer.value.length > 0);
  return isFound ? undefined : `${domain} has no address in the DNS.`;
}

async function recordsOf(resolver: DnsResolver, { name, domain }: ProofMethod): Promise<readonly string[] | string> {
  try {
    const records =
      name === 'cname'
        ? await resolver.resolveCname(domain)
        : (await resolver.resolveTxt(domain)).map((parts) => parts.join(''));
    return records.slice(0, MOST_RECORDS);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    return `${domain} can't be looked up (${code || 'no answer'}).`;
  }
}

function isSame({ name, record }: ProofMethod, found: string): boolean {
  if (name === 'txt') return found === record;
  return found.toLowerCase().replace(/\.$/, '') === record;
}
