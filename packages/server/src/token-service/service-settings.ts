import { readFileSync } from 'node:fs';
import { defineErrors } from '../kit/errors.ts';
import { isObject, textsOf } from '../kit/json-values.ts';
import { parseJson } from '../kit/parse-json.ts';

export interface ServiceSettings {
  /** With its slash at the end, as tokens name it. */
  readonly issuer: string;
  readonly mode: (typeof MODES)[number];
  /** Of the client that introspects; empty with userinfo. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callers: readonly Caller[];
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly metricsToken: string | undefined;
  /** Questions a second of one caller. */
  readonly rate: number;
  /** Questions to the authorization server under way. */
  readonly mostAtOnce: number;
  /** What an operator should know. */
  readonly notes: readonly string[];
}

/** A service of the company that may ask. */
export interface Caller {
  readonly name: string;
  readonly secret: string;
  /** The APIs that it is: a token for another one is no token for it. */
  readonly audiences: readonly string[];
}

/** What each setting is, for `--help` and for faults. */
export const SERVICE_SETTINGS = {
  TOKEN_SERVICE_ISSUER: 'the authorization server, as its tokens name it: https://acme-dev.example/',
  TOKEN_SERVICE_MODE: 'introspection (default), or userinfo for servers without it, such as Auth0',
  TOKEN_SERVICE_CLIENT_ID: 'the client that introspects',
  TOKEN_SERVICE_CLIENT_SECRET: 'its secret',
  TOKEN_SERVICE_CLIENT_SECRET_FILE: 'a file with its secret',
  TOKEN_SERVICE_AUDIENCE: 'the API whose tokens callers ask about that name none of their own',
  TOKEN_SERVICE_CALLERS:
    'who may ask, as JSON: {"venues":"<secret>","orders":{"secret":"…","audiences":["https://orders"]}}',
  TOKEN_SERVICE_CALLERS_FILE: 'a file with the same',
  TOKEN_SERVICE_HOST: 'the address that it listens on: 127.0.0.1 by default',
  TOKEN_SERVICE_PORT: 'the port: 3100 by default, 0 for any free one',
  TOKEN_SERVICE_TLS_CERT_FILE: 'serves https with this certificate; read again when it changes',
  TOKEN_SERVICE_TLS_KEY_FILE: 'its key',
  TOKEN_SERVICE_METRICS_TOKEN: 'who shows it reads /metrics from anywhere; without it this machine alone',
  TOKEN_SERVICE_RATE: 'questions a second of one caller: 1 to 100000, 1000 by default',
  TOKEN_SERVICE_CONCURRENCY: 'questions to the authorization server under way: 1 to 1000, 64 by default',
} as const;

export type ServiceSetting = keyof typeof SERVICE_SETTINGS;
export type GivenServiceSettings = Readonly<Partial<Record<ServiceSetting, string>>>;

export const serviceSettingNames = Object.keys(SERVICE_SETTINGS).filter((name): name is ServiceSetting =>
  Object.hasOwn(SERVICE_SETTINGS, name),
);

export const serviceSettingErrors = defineErrors({
  faulty: { status: 400, code: 'invalid_settings', message: 'The settings of the token service have {faults}' },
});

const MODES = ['introspection', 'userinfo'] as const;
const MOST_CALLERS = 100;
/** A secret is a token of RFC 6750 section 2.1, long enough that nobody guesses it. */
const SECRET = /^[A-Za-z0-9\-._~+/]{32,500}=*$/;
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/i;
const LONGEST_AUDIENCE = 600;

/** One error names every fault, and repeats no secret. An empty text is no setting, as in an environment. */
export function readServiceSettings(given: GivenServiceSettings): ServiceSettings {
  const faults: string[] = [];
  const text = (name: ServiceSetting): string | undefined => given[name]?.trim() || undefined;
  const required = (name: ServiceSetting): string => {
    const value = text(name);
    if (value === undefined) faults.push(`${name} is missing: ${SERVICE_SETTINGS[name]}.`);
    return value ?? '';
  };
  const whole = (name: ServiceSetting, from: number, to: number, otherwise: number): number => {
    const value = text(name);
    if (value === undefined) return otherwise;
    if (/^\d{1,6}$/.test(value) && Number(value) >= from && Number(value) <= to) return Number(value);
    faults.push(`${name} must be a whole number from ${from} to ${to}.`);
    return otherwise;
  };
  /** The setting itself, or the file that its sister names. */
  const secretText = (name: ServiceSetting, fileName: ServiceSetting): string => {
    const file = text(fileName);
    if (file === undefined) return required(name);
    if (text(name) !== undefined) faults.push(`${name} and ${fileName} say the same: set one of them.`);
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      faults.push(`${fileName} can't be read: ${file}.`);
      return '';
    }
  };

  const mode = MODES.find((word) => word === (text('TOKEN_SERVICE_MODE') ?? MODES[0]));
  if (!mode) faults.push(`TOKEN_SERVICE_MODE must be ${MODES.join(' or ')}.`);
  const introspects = mode !== 'userinfo';
  const certFile = text('TOKEN_SERVICE_TLS_CERT_FILE');
  const keyFile = text('TOKEN_SERVICE_TLS_KEY_FILE');
  if ((certFile === undefined) !== (keyFile === undefined))
    faults.push('TOKEN_SERVICE_TLS_CERT_FILE and TOKEN_SERVICE_TLS_KEY_FILE belong together: set both or neither.');
  const settings = {
    issuer: issuerOf(required('TOKEN_SERVICE_ISSUER'), faults),
    mode: mode ?? MODES[0],
    clientId: introspects ? required('TOKEN_SERVICE_CLIENT_ID') : '',
    clientSecret: introspects ? secretText('TOKEN_SERVICE_CLIENT_SECRET', 'TOKEN_SERVICE_CLIENT_SECRET_FILE') : '',
    callers: callersOf(
      secretText('TOKEN_SERVICE_CALLERS', 'TOKEN_SERVICE_CALLERS_FILE'),
      text('TOKEN_SERVICE_AUDIENCE'),
      faults,
    ),
    host: text('TOKEN_SERVICE_HOST') ?? '127.0.0.1',
    port: whole('TOKEN_SERVICE_PORT', 0, 65_535, 3_100),
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    metricsToken: text('TOKEN_SERVICE_METRICS_TOKEN'),
    rate: whole('TOKEN_SERVICE_RATE', 1, 100_000, 1_000),
    mostAtOnce: whole('TOKEN_SERVICE_CONCURRENCY', 1, 1_000, 64),
  };
  if (faults.length > 0) {
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    throw serviceSettingErrors.faulty({ faults: `${count}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}` });
  }
  return { ...settings, notes: notesOf(settings) };
}

function issuerOf(text: string, faults: string[]): string {
  if (text === '') return text;
  const url = URL.parse(text);
  const isWeb =
    url && /^https?:$/.test(url.protocol) && `${url.search}${url.hash}${url.username}${url.password}` === '';
  if (!isWeb) faults.push('TOKEN_SERVICE_ISSUER must be an http or https URL without user, query and fragment.');
  return text;
}

function callersOf(text: string, audience: string | undefined, faults: string[]): readonly Caller[] {
  if (text === '') return [];
  const what = 'TOKEN_SERVICE_CALLERS';
  const callers = Object.entries(objectIn(text)).map(([name, value]): Caller => {
    const { secret, audiences } = isObject(value) ? value : { secret: value, audiences: undefined };
    const own = textsOf(audiences);
    const named = audiences === undefined && audience !== undefined ? [audience] : own;
    if (!NAME.test(name)) faults.push(`${what}: a caller's name has 1 to 63 letters, digits, - and _.`);
    else if (typeof secret !== 'string' || !SECRET.test(secret))
      faults.push(`${what}: the secret of '${name}' must be 32 to 500 letters, digits and -._~+/ with = at the end.`);
    else if (named.length === 0 || named.some((one) => one === '' || one.length > LONGEST_AUDIENCE))
      faults.push(`${what}: '${name}' needs audiences, a list, or TOKEN_SERVICE_AUDIENCE must be set.`);
    return { name, secret: String(secret), audiences: named };
  });
  if (callers.length === 0) faults.push(`${what} must be a JSON object with a secret for each caller.`);
  if (callers.length > MOST_CALLERS) faults.push(`${what} may name ${MOST_CALLERS} callers at most.`);
  if (new Set(callers.map(({ secret }) => secret)).size < callers.length)
    faults.push(`${what}: two callers have the same secret, so that nobody could tell them apart.`);
  return callers;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function notesOf({ issuer, host, tls }: Pick<ServiceSettings, 'issuer' | 'host' | 'tls'>): readonly string[] {
  const { protocol, hostname } = new URL(issuer);
  const notes: string[] = [];
  if (protocol === 'http:' && !isLoopback(hostname))
    notes.push(`Tokens and the client's secret travel in the clear: ${issuer} is not https.`);
  if (!tls && !isLoopback(host))
    notes.push(
      `Tokens and callers' secrets travel in the clear: ${host} is not loopback, and there is no certificate.`,
    );
  return notes;
}

function isLoopback(host: string): boolean {
  return /^(\[?::1\]?|127\.\d+\.\d+\.\d+|(.+\.)?localhost)$/.test(host);
}
