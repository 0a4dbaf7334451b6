import { defineErrors } from '../kit/errors.ts';
import { isNetwork } from '../kit/is-network.ts';
import { nearestWord } from '../kit/nearest-word.ts';
import { logTypes } from '../logs/log-types.ts';
import { EXPORTED_TYPES, type ExportFilter, isExported, NEVER_EXPORTED } from './exported-types.ts';

export interface ExportSettings extends ExportFilter {
  /** Of the tenant whose log is read. */
  readonly origin: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookUrl: string;
  /** Requests in flight. */
  readonly concurrentCalls: number;
  /** Exactly 200, or anything from 200 to 299. */
  readonly success: '200' | '2xx';
  /** Events a batch: what is repeated at most. */
  readonly batchSize: number;
  /** Private addresses and networks that the webhook may have. */
  readonly allowed: readonly string[];
  /** What somebody who reads them should know. */
  readonly notes: readonly string[];
}

/** What each setting is, for `--help` and for faults. */
export const EXPORT_SETTINGS = {
  AUTH0_DOMAIN: 'the tenant: a domain, or an origin such as http://localhost:3000',
  AUTH0_CLIENT_ID: 'an application with client credentials for its Management API and the scope read:logs',
  AUTH0_CLIENT_SECRET: 'its secret',
  AUTH0_GLOBAL_CLIENT_ID: 'the same, under the name that Auth0 once gave it',
  AUTH0_GLOBAL_CLIENT_SECRET: 'the same, under the name that Auth0 once gave it',
  AUTH0_AUDIENCE: 'of the Management API, where it is not https://<domain>/api/v2/ (custom domains)',
  WEBHOOK_URL: 'where each event is sent to: POST, JSON',
  LOG_LEVEL: 'events of this level and higher: 0 to 4',
  LOG_TYPES: 'events of these types alone, with commas between them: s,f',
  WEBHOOK_CONCURRENT_CALLS: 'requests in flight at most: 1 to 100, 5 by default',
  WEBHOOK_SUCCESS: '200 (default) or 2xx: which answers mean that an event has arrived',
  WEBHOOK_ALLOW: 'private addresses or networks that WEBHOOK_URL may lead to: 10.20.0.0/16',
  BATCH_SIZE: 'events a batch: 1 to 100, 100 by default',
} as const;

export type ExportSetting = keyof typeof EXPORT_SETTINGS;
export type GivenSettings = Readonly<Partial<Record<ExportSetting, string>>>;

export const settingNames = Object.keys(EXPORT_SETTINGS).filter((name): name is ExportSetting => isSetting(name));

export function isSetting(name: string): name is ExportSetting {
  return Object.hasOwn(EXPORT_SETTINGS, name);
}

export const exportErrors = defineErrors({
  settings: { status: 400, code: 'invalid_settings', message: 'The settings of the export have {faults}' },
});

const MOST_CALLS = 100;
const LARGEST_BATCH = 100;
const DEFAULT_CALLS = 5;
const LONGEST = 4_096;
const KNOWN_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(EXPORTED_TYPES),
  ...Object.values(logTypes).map(({ code }) => code),
]);

/** One error names every fault. An empty text is no setting, as in an environment. */
export function readExportSettings(given: GivenSettings): ExportSettings {
  const faults: string[] = [];
  const notes: string[] = [];
  const text = (name: ExportSetting): string | undefined => {
    const value = given[name]?.trim();
    if (value !== undefined && value.length > LONGEST) faults.push(`${name} is too long.`);
    return value === '' ? undefined : value;
  };
  const required = (...names: [ExportSetting, ...ExportSetting[]]): string => {
    const found = names.map(text).find((value) => value !== undefined);
    if (found === undefined) faults.push(`${names.join(' or ')} is missing: ${EXPORT_SETTINGS[names[0]]}.`);
    return found ?? '';
  };
  const whole = (name: ExportSetting, from: number, to: number, otherwise: number): number => {
    const value = text(name);
    if (value === undefined) return otherwise;
    const number = Number(value);
    if (!/^\d{1,3}$/.test(value) || number < from || number > to)
      faults.push(`${name} must be a whole number from ${from} to ${to}.`);
    return number;
  };

  const origin = originOf(required('AUTH0_DOMAIN'), faults);
  if (origin?.startsWith('http:') && !isLoopback(new URL(origin).hostname))
    notes.push(`The secret and the log travel in the clear: ${origin} is not https.`);
  const settings = {
    origin: origin ?? '',
    audience: text('AUTH0_AUDIENCE') ?? `${origin}/api/v2/`,
    clientId: required('AUTH0_CLIENT_ID', 'AUTH0_GLOBAL_CLIENT_ID'),
    clientSecret: required('AUTH0_CLIENT_SECRET', 'AUTH0_GLOBAL_CLIENT_SECRET'),
    webhookUrl: webhookOf(required('WEBHOOK_URL'), faults),
    level: whole('LOG_LEVEL', 0, 4, 0),
    types: typesOf(text('LOG_TYPES'), faults, notes),
    concurrentCalls: whole('WEBHOOK_CONCURRENT_CALLS', 1, MOST_CALLS, DEFAULT_CALLS),
    success: successOf(text('WEBHOOK_SUCCESS'), faults),
    batchSize: whole('BATCH_SIZE', 1, LARGEST_BATCH, LARGEST_BATCH),
    allowed: networksOf(text('WEBHOOK_ALLOW'), faults),
  };
  if (faults.length > 0) {
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    throw exportErrors.settings({ faults: `${count}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}` });
  }
  if (settings.types.length > 0 && !settings.types.some((type) => isExported(type, settings)))
    notes.push('Nothing will be sent: no type of LOG_TYPES has this LOG_LEVEL or a higher one.');
  return { ...settings, notes };
}

export function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname) || /(^|\.)localhost$/.test(hostname);
}

/** `example.auth0.com`, `localhost:3443`, `http://localhost:3000`. */
function originOf(text: string, faults: string[]): string | undefined {
  if (text === '') return undefined;
  const address = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isOrigin = url && url.pathname === '/' && `${url.search}${url.hash}${url.username}${url.password}` === '';
  if (!isOrigin)
    faults.push('AUTH0_DOMAIN must be a domain such as example.auth0.com, or an origin such as http://localhost:3000.');
  return isOrigin ? url.origin : undefined;
}

/** Not repeated in the fault: it may have a secret in it. */
function webhookOf(text: string, faults: string[]): string {
  if (text === '') return '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = (url?.protocol === 'https:' || url?.protocol === 'http:') && `${url.username}${url.password}` === '';
  if (!isWeb) faults.push('WEBHOOK_URL must be an http or https URL without a user and password in it.');
  return text;
}

function typesOf(text: string | undefined, faults: string[], notes: string[]): readonly string[] {
  const types = listOf(text);
  const unknown = types.filter((type) => !KNOWN_TYPES.has(type));
  for (const type of unknown.slice(0, 10)) {
    const nearest = nearestWord(type, KNOWN_TYPES);
    const hint = nearest ? `; the nearest is '${nearest}'` : '';
    faults.push(`LOG_TYPES: '${type.slice(0, 50)}' is no type of events${hint}. --list-types shows them.`);
  }
  const never = types.filter((type) => NEVER_EXPORTED.has(type));
  if (never.length > 0) notes.push(`${never.join(' and ')}: what the Management API did is never sent.`);
  return [...new Set(types)];
}

function successOf(text: string | undefined, faults: string[]): ExportSettings['success'] {
  if (text === undefined || text === '200') return '200';
  if (text.toLowerCase() === '2xx') return '2xx';
  faults.push('WEBHOOK_SUCCESS must be 200 or 2xx.');
  return '200';
}

function networksOf(text: string | undefined, faults: string[]): readonly string[] {
  const networks = listOf(text);
  if (!networks.every(isNetwork))
    faults.push('WEBHOOK_ALLOW must be addresses or networks such as 10.20.0.0/16, with commas between them.');
  return networks;
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
