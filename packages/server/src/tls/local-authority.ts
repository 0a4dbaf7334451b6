import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { chmod, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomSecret } from '../kit/ids.ts';
import { extensions, makeCertificate, toPem } from './certificate.ts';

export interface LocalAuthority {
  /** The authority's certificate, for clients to trust. */
  readonly caFile: string;
  /** The names (and everything below them) that this authority may vouch for. */
  readonly domains: readonly string[];
  readonly now: () => Date;
  /** A certificate chain for these names, valid for 90 days, and its key; both PEM. */
  issue(names: readonly string[], addresses?: readonly string[]): Promise<IssuedCertificate>;
}

export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  readonly renewAt: Date;
}

interface Options {
  /** The authority's own folder, kept 0700. No backup may include it: its key is trusted by the machine's browsers. */
  readonly folder: string;
  /** `localhost`, `*.localhost`, the base domain, `*.` and the base domain. */
  readonly hosts: readonly string[];
  readonly now: () => Date;
}

const DAY = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Safari takes at most 825 days, public authorities 200; renewal is automatic, so short is free. */
const LEAF_DAYS = 90;
const RENEW_DAYS_BEFORE = 30;
/** Clocks of containers and virtual machines lag behind. */
const BACKDATED = 3_600_000;

const LOOPBACK = [
  { address: '127.0.0.0', mask: '255.0.0.0' },
  { address: '::1', mask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
];

const generateKeys = promisify(generateKeyPair);

/** The authority of this installation: read from its folder, or made where none fits the domains. */
export async function openLocalAuthority({ folder, hosts, now }: Options): Promise<LocalAuthority> {
  const domains = domainsOf(hosts);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const { certificate, key } = await findOrMake(folder, domains, now());
  const caPem = toPem('CERTIFICATE', certificate.raw);
  const caFile = join(folder, 'ca.pem');
  if ((await readFile(caFile, 'utf8').catch(() => '')) !== caPem) await replaceFile(caFile, caPem);
  // One key for all certificates of this process: making one takes longer than signing.
  const leaf = await generateKeys('ec', { namedCurve: 'P-256' });
  const leafKey = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  async function issue(names: readonly string[], addresses: readonly string[] = []): Promise<IssuedCertificate> {
    const start = now().getTime();
    const bytes = await makeCertificate({
      subject: names[0] ?? 'localhost',
      issuer: commonNameOf(certificate),
      publicKey: leaf.publicKey,
      signingKey: key,
      notBefore: new Date(start - BACKDATED),
      notAfter: new Date(Math.min(start + LEAF_DAYS * DAY, certificate.validToDate.getTime())),
      extensions: [
        extensions.basicConstraints({ isAuthority: false }),
        extensions.digitalSignature(),
        extensions.serverAuthentication(),
        extensions.subjectAltName(names, addresses),
        extensions.authorityKeyId(certificate.publicKey),
        extensions.subjectKeyId(leaf.publicKey),
      ],
    });
    // The authority goes along although it is the root: Chromium's --ignore-certificate-errors-spki-list then needs
    // one hash, the authority's, for every certificate and process.
    const renewAt = new Date(start + (LEAF_DAYS - RENEW_DAYS_BEFORE) * DAY);
    return { cert: toPem('CERTIFICATE', bytes) + caPem, key: leafKey, renewAt };
  }

  return { caFile, domains, now, issue };
}

export function domainsOf(hosts: readonly string[]): string[] {
  const names = hosts.map((host) => host.toLowerCase().replace(/^\*\./, '').replace(/\.$/, ''));
  return [...new Set(['localhost', ...names])].sort();
}

interface StoredAuthority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/**
 * Key and certificate lie in one file, which appears whole or not at all; its name tells domains and day. So two processes
 * that start at once agree on one authority, and another base domain gets another one (the old constraint excludes it).
 */
async function findOrMake(folder: string, domains: readonly string[], now: Date): Promise<StoredAuthority> {
  const prefix = `authority-${createHash('sha256').update(domains.join(' ')).digest('hex').slice(0, 12)}-`;
  const known = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith('.pem')).sort();
  for (const name of known.reverse()) {
    const authority = await readAuthority(join(folder, name));
    if (authority.certificate.validToDate.getTime() - LEAF_DAYS * DAY > now.getTime()) return authority;
  }
  const file = join(folder, `${prefix}${now.toISOString().slice(0, 10)}.pem`);
  await createFile(file, await makeAuthority(domains, now));
  return readAuthority(file);
}

async function makeAuthority(domains: readonly string[], now: Date): Promise<string> {
  const { publicKey, privateKey } = await generateKeys('ec', { namedCurve: 'P-256' });
  // A name of its own for each authority: a trust store that holds two must not take one for the other.
  const name = `Gatewright local authority ${randomSecret(6)}`;
  const certificate = await makeCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    notBefore: new Date(now.getTime() - BACKDATED),
    notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY),
    extensions: [
      extensions.basicConstraints({ isAuthority: true }),
      extensions.certificateSigning(),
      extensions.serverAuthentication(),
      extensions.nameConstraints(domains, LOOPBACK),
      extensions.subjectKeyId(publicKey),
    ],
  });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() + toPem('CERTIFICATE', certificate);
}

async function readAuthority(file: string): Promise<StoredAuthority> {
  try {
    await chmod(file, 0o600);
    const pem = await readFile(file, 'utf8');
    const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
    const key = createPrivateKey(pem);
    if (!createPublicKey(key).equals(certificate.publicKey)) throw new Error('Key and certificate differ.');
    return { certificate, key };
  } catch (cause) {
    throw new Error(
      `The local certificate authority in ${file} can't be read. Remove the file to have a new one made; clients must then trust the new ca.pem.`,
      { cause },
    );
  }
}

const commonNameOf = (certificate: X509Certificate): string => certificate.subject.replace(/^CN=/, '');

/** Creates a file at once and whole; where another process was first, its file stays. */
async function createFile(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomSecret(6)}`;
  try {
    await writeFile(draft, content, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

async function replaceFile(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomSecret(6)}`;
  await writeFile(draft, content, { mode: 0o644, flag: 'wx', flush: true });
  await rename(draft, file);
}
