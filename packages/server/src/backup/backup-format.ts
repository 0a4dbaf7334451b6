import { hkdfSync } from 'node:crypto';

/**
 * A backup file (docs/operating.md): a line that says what it is, a line of JSON (Header), a zstd stream of frames (open-backup.ts),
 * a line of JSON (Summary) and the seal, a line of fixed length: the summary's length, the SHA-256 of all before the seal,
 * and an HMAC of that under the installation's key, so that nobody else makes or changes a backup that a restore takes.
 */
export const FIRST_LINE = 'GATEWRIGHT BACKUP 1\n';

export interface Header {
  readonly gatewright: string;
  readonly postgres: string;
  readonly madeAt: string;
  /** Names the key that opens what is sealed in here; says nothing about it. */
  readonly keyId: string;
  /** The migrations that the database had, in order. */
  readonly migrations: readonly { readonly number: number; readonly name: string }[];
  readonly epoch: number;
  /** In an order in which each table comes after those that it refers to. */
  readonly tables: readonly { readonly name: string; readonly columns: readonly string[] }[];
  /** Days with a partition of the log, YYYYMMDD. */
  readonly logDays: readonly string[];
  readonly sequences: readonly { readonly name: string; readonly value: string; readonly isCalled: boolean }[];
}

export interface TableSummary {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Summary {
  readonly tables: readonly TableSummary[];
  /** Of the frames' content, before compression. */
  readonly bytes: number;
}

const SEAL = /^(\d{10}) ([0-9a-f]{64}) ([0-9a-f]{64})\n$/;
export const SEAL_BYTES = 10 + 1 + 64 + 1 + 64 + 1;
export const MOST_JSON_BYTES = 4 * 1024 * 1024;

export function encodeSeal(summaryBytes: number, sha256: string, mac: string): string {
  return `${String(summaryBytes).padStart(10, '0')} ${sha256} ${mac}\n`;
}

export function decodeSeal(text: string): { summaryBytes: number; sha256: string; mac: string } | undefined {
  const [, summaryBytes, sha256 = '', mac = ''] = SEAL.exec(text) ?? [];
  return summaryBytes === undefined ? undefined : { summaryBytes: Number(summaryBytes), sha256, mac };
}

export function keyIdOf(secret: Uint8Array): string {
  return derive(secret, 'gatewright/key-id/v1').toString('hex').slice(0, 16);
}

export const macKeyOf = (secret: Uint8Array): Buffer => derive(secret, 'gatewright/backup-mac/v1');

function derive(secret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), purpose, 32));
}

const TABLE = /^[a-z_][a-z0-9_]{0,62}$/;

/** Undefined for everything that this version can't have written. */
export function parseHeader(value: unknown): Header | undefined {
  if (!isRecord(value)) return undefined;
  const { gatewright, postgres, madeAt, keyId, migrations, epoch, tables, logDays, sequences } = value;
  const isFit =
    [gatewright, postgres, madeAt, keyId].every((text) => typeof text === 'string' && text.length < 100) &&
    isWhole(epoch) &&
    isListOf(migrations, ({ number, name }) => isWhole(number) && isText(name, /^\d{4}_\w{1,80}\.sql$/)) &&
    isListOf(tables, ({ name, columns }) => isText(name, TABLE) && isTexts(columns, TABLE)) &&
    isTexts(logDays, /^\d{8}$/) &&
    isListOf(
      sequences,
      ({ name, value, isCalled }) =>
        isText(name, TABLE) && isText(value, /^\d{1,19}$/) && typeof isCalled === 'boolean',
    );
  return isFit ? (value as unknown as Header) : undefined;
}

export function parseSummary(value: unknown): Summary | undefined {
  if (!isRecord(value) || !isWhole(value.bytes)) return undefined;
  const isFit = isListOf(
    value.tables,
    ({ name, rows, bytes, sha256 }) =>
      isText(name, TABLE) && isWhole(rows) && isWhole(bytes) && isText(sha256, /^[0-9a-f]{64}$/),
  );
  return isFit ? (value as unknown as Summary) : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts = (value: unknown, form: RegExp): boolean =>
  Array.isArray(value) && value.every((item) => isText(item, form));
const isListOf = (value: unknown, isFit: (item: Record<string, unknown>) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => isRecord(item) && isFit(item));
