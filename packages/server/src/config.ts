import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { faultOfSecret } from './keys/installation-secret.ts';
import { isNetwork } from './kit/is-network.ts';

/** The environment, validated once; nothing else reads it. Names and defaults: product.md section 4. */
export interface Config {
  readonly httpPort: number;
  /** 0 switches https off. */
  readonly httpsPort: number;
  /** Addresses to listen on. */
  readonly hosts: readonly string[];
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  /** Canonical origin of the default tenant; switches its localhost origins off. */
  readonly origin: string | undefined;
  readonly baseDomain: string;
  readonly secret: string | undefined;
  /** Whether a first run may make the tenant `dev` (always on the embedded database). */
  readonly bootstrap: boolean;
  readonly trustedProxies: readonly string[];
  /** The header in which a trusted proxy tells the client's certificate, in lower case; none is believed where it is unset. */
  readonly clientCertificateHeader: string | undefined;
  /** Addresses and networks that tenants' URLs may lead to, besides the public Internet. */
  readonly outgoingAllow: readonly string[];
  /** Where tenants' code may connect to, unless `gatewright egress` says otherwise for a tenant. */
  readonly egress: 'deny-private' | 'allowlist';
  /** Where streams of the log into files write: the operator's choice, never a tenant's. */
  readonly logFolder: string;
  /** In place of Datadog's own address, for all tenants. */
  readonly datadogAddress: string | undefined;
  readonly workers: number;
  /** Who shows it may read /metrics from anywhere. */
  readonly metricsToken: string | undefined;
  readonly logFormat: 'pretty' | 'json';
}

const PORT = /^[0-9]{1,5}$/;
const ANY = /^/;
/** Plain patterns: a schema library costs a third of a second here, before the compile cache is known. */
const PATTERNS = {
  PORT,
  HTTPS_PORT: PORT,
  HOST: /^[0-9a-zA-Z.:,_-]+$/,
  TLS_CERT_FILE: ANY,
  TLS_KEY_FILE: ANY,
  GATEWRIGHT_DATA_DIR: ANY,
  DATABASE_URL: /^postgres(ql)?:\/\//,
  GATEWRIGHT_ORIGIN: /^https?:\/\/[^/?#@\s]+\/?$/,
  GATEWRIGHT_BASE_DOMAIN: /^(?=.{1,200}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
  GATEWRIGHT_SECRET: /^.{32}/su,
  GATEWRIGHT_BOOTSTRAP: /^[01]$/,
  TRUSTED_PROXIES: ANY,
  CLIENT_CERTIFICATE_HEADER: /^(?!client-certificate-ca-verified$)[a-z][a-z0-9-]{1,63}$/i,
  GATEWRIGHT_OUTGOING_ALLOW: ANY,
  GATEWRIGHT_EGRESS: /^(deny-private|allowlist)$/,
  GATEWRIGHT_LOG_FOLDER: ANY,
  GATEWRIGHT_DATADOG_ADDRESS: /^https?:\/\/[^/?#@\s]+\/?$/,
  GATEWRIGHT_WORKERS: /^[1-9][0-9]?$/,
  GATEWRIGHT_METRICS_TOKEN: /^[\x21-\x7e]{20,500}$/,
  LOG_FORMAT: /^(pretty|json)$/,
} as const;
type Variable = keyof typeof PATTERNS;
type Environment = { readonly [Name in Variable]?: string };

const EXPECTED: Record<Variable, string> = {
  PORT: 'a port from 0 to 65535 (0 = any free one)',
  HTTPS_PORT: 'a port from 0 to 65535 (0 = no https), and another one than PORT',
  HOST: 'an address or host name to listen on, or several with commas between them',
  TLS_CERT_FILE: 'the path of a PEM certificate chain, with TLS_KEY_FILE; or of a folder of them',
  TLS_KEY_FILE: 'the path of a PEM private key, together with TLS_CERT_FILE (which alone is a folder)',
  GATEWRIGHT_DATA_DIR: 'the path of a folder',
  DATABASE_URL: 'a URL such as postgres://user:password@host:5432/database, special characters percent-encoded',
  GATEWRIGHT_ORIGIN: 'an origin such as https://login.example.com, without a path',
  GATEWRIGHT_BASE_DOMAIN: 'a lower-case domain such as id.example.com; tenants answer at {tenant}.{base domain}',
  GATEWRIGHT_SECRET: 'at least 32 random characters; it encrypts keys and secrets at rest',
  GATEWRIGHT_BOOTSTRAP: '0 or 1',
  GATEWRIGHT_OUTGOING_ALLOW: 'addresses or networks such as 10.20.0.0/16, with commas between them',
  GATEWRIGHT_EGRESS: 'deny-private or allowlist',
  TRUSTED_PROXIES: 'addresses or networks such as 10.0.0.0/8, with commas between them',
  CLIENT_CERTIFICATE_HEADER: 'the name of the header in which the proxies tell the certificate of a client',
  GATEWRIGHT_LOG_FOLDER: 'the path of a folder',
  GATEWRIGHT_DATADOG_ADDRESS: 'an origin such as https://http-intake.logs.ap1.datadoghq.com, without a path',
  GATEWRIGHT_WORKERS: 'a number from 1 to 99, and to 12 without DATABASE_URL (the embedded PostgreSQL takes no more)',
  GATEWRIGHT_METRICS_TOKEN:
    'at least 20 random characters, without spaces; who shows it as a bearer token reads /metrics',
  LOG_FORMAT: 'pretty or json',
};

const variables = Object.keys(PATTERNS).filter((name): name is Variable => name in PATTERNS);

/** Reads the environment; one error names every wrong variable. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const read: { -readonly [Name in Variable]?: string } = {};
  const wrong = new Set<Variable>();
  for (const name of variables) {
    const value = environment[name];
    if (value === undefined || value === '') continue;
    read[name] = value;
    if (!PATTERNS[name].test(value)) wrong.add(name);
  }
  if (Number(read.PORT ?? 0) > 65_535) wrong.add('PORT');
  if (Number(read.HTTPS_PORT ?? 0) > 65_535) wrong.add('HTTPS_PORT');
  if (read.TLS_KEY_FILE && !read.TLS_CERT_FILE) wrong.add('TLS_CERT_FILE');
  if (read.TLS_CERT_FILE && !read.TLS_KEY_FILE && !isFolder(read.TLS_CERT_FILE)) wrong.add('TLS_KEY_FILE');
  if (read.GATEWRIGHT_SECRET && faultOfSecret(read.GATEWRIGHT_SECRET)) wrong.add('GATEWRIGHT_SECRET');
  if (read.PORT && read.PORT !== '0' && Number(read.PORT) === Number(read.HTTPS_PORT ?? 3443)) wrong.add('HTTPS_PORT');
  if (read.GATEWRIGHT_ORIGIN && !URL.canParse(read.GATEWRIGHT_ORIGIN)) wrong.add('GATEWRIGHT_ORIGIN');
  if (read.GATEWRIGHT_DATADOG_ADDRESS && !URL.canParse(read.GATEWRIGHT_DATADOG_ADDRESS))
    wrong.add('GATEWRIGHT_DATADOG_ADDRESS');
  if (read.DATABASE_URL && !isDatabaseUrl(read.DATABASE_URL)) wrong.add('DATABASE_URL');
  if (!read.DATABASE_URL && Number(read.GATEWRIGHT_WORKERS ?? 1) > 12) wrong.add('GATEWRIGHT_WORKERS');
  if (!list(read.GATEWRIGHT_OUTGOING_ALLOW).every(isNetwork)) wrong.add('GATEWRIGHT_OUTGOING_ALLOW');
  if (!list(read.TRUSTED_PROXIES).every(isNetwork)) wrong.add('TRUSTED_PROXIES');
  if (wrong.size > 0) throw new ConfigError([...wrong].map((name) => `${name} must be ${EXPECTED[name]}.`));
  return toConfig(read);
}

export class ConfigError extends Error {
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
}

function toConfig(read: Environment): Config {
  const dataDir = resolve(read.GATEWRIGHT_DATA_DIR ?? 'data');
  return {
    httpPort: Number(read.PORT ?? 3000),
    httpsPort: Number(read.HTTPS_PORT ?? 3443),
    hosts: read.HOST ? list(read.HOST) : ['127.0.0.1', '::1'],
    tlsCertFile: read.TLS_CERT_FILE,
    tlsKeyFile: read.TLS_KEY_FILE,
    dataDir,
    databaseUrl: read.DATABASE_URL,
    origin: read.GATEWRIGHT_ORIGIN ? new URL(read.GATEWRIGHT_ORIGIN).origin : undefined,
    baseDomain: read.GATEWRIGHT_BASE_DOMAIN ?? 'localhost',
    secret: read.GATEWRIGHT_SECRET,
    bootstrap: read.GATEWRIGHT_BOOTSTRAP ? read.GATEWRIGHT_BOOTSTRAP === '1' : !read.DATABASE_URL,
    trustedProxies: list(read.TRUSTED_PROXIES),
    clientCertificateHeader: read.CLIENT_CERTIFICATE_HEADER?.toLowerCase(),
    outgoingAllow: list(read.GATEWRIGHT_OUTGOING_ALLOW),
    egress: read.GATEWRIGHT_EGRESS === 'allowlist' ? 'allowlist' : 'deny-private',
    logFolder: read.GATEWRIGHT_LOG_FOLDER ? resolve(read.GATEWRIGHT_LOG_FOLDER) : join(dataDir, 'logs'),
    datadogAddress: read.GATEWRIGHT_DATADOG_ADDRESS && new URL(read.GATEWRIGHT_DATADOG_ADDRESS).origin,
    workers: Number(read.GATEWRIGHT_WORKERS ?? 1),
    metricsToken: read.GATEWRIGHT_METRICS_TOKEN,
    logFormat: (read.LOG_FORMAT ?? 'pretty') as 'pretty' | 'json',
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

/** Whether the driver will be able to read it; its own words would repeat the password. */
function isDatabaseUrl(text: string): boolean {
  try {
    const { username, password, hostname, pathname } = new URL(text);
    decodeURIComponent(username + password + hostname + pathname);
    return true;
  } catch {
    return false;
  }
}
