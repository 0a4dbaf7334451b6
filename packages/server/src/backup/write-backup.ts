import { createHash, createHmac, type Hash } from 'node:crypto';
import { type Duplex, PassThrough, pipeline } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import pg from 'pg';
import { copyOut } from '../db/copy-stream.ts';
import { encodeFrame } from '../kit/frames.ts';
import {
  encodeSeal,
  FIRST_LINE,
  type Header,
  keyIdOf,
  macKeyOf,
  type Summary,
  type TableSummary,
} from './backup-format.ts';
import { readShape } from './database-shape.ts';

export interface BackupProgress {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface BackupParts {
  readonly poolOptions: pg.PoolConfig;
  readonly secret: Uint8Array;
  readonly version: string;
  readonly now: () => Date;
  /** Told after each table. */
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** The same text whatever the server's settings are, so that another PostgreSQL reads it. */
const SETTINGS = `set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
  set timezone = 'UTC'; set extra_float_digits = 1; set client_encoding = 'UTF8'; set statement_timeout = 0;
  set idle_in_transaction_session_timeout = '10min'`;
const PATIENCE_MILLISECONDS = 600_000;
/** PostgreSQL and the servers go first: a backup may take its time. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/**
 * The whole database as it was at one moment, as a file in pieces; writers go on meanwhile. The transaction only reads, so
 * that it has no xid and holds the log's horizon up nowhere. Who stops reading ends it.
 */
export async function* writeBackup(parts: BackupParts): AsyncGenerator<Buffer, void, void> {
  const client = new pg.Client({ ...parts.poolOptions, application_name: 'gatewright-backup', keepAlive: true });
  client.on('error', () => {});
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  /** The snapshot keeps old rows alive: nobody may stop reading and hold it for days. */
  const watched = (piece: Buffer): Buffer => {
    clearTimeout(patience);
    patience = setTimeout(() => stream.destroy(new Error('Nobody read the backup any more.')), PATIENCE_MILLISECONDS);
    return piece;
  };
  let patience: NodeJS.Timeout | undefined;
  try {
    await client.query(SETTINGS);
    await client.query('begin isolation level repeatable read, read only');
    const header = await describe(client, parts);
    const hash = createHash('sha256');
    const first = Buffer.from(`${FIRST_LINE}${JSON.stringify(header)}\n`);
    hash.update(first);
    yield watched(first);
    const tables: TableSummary[] = [];
    for await (const piece of compressed(frames(client, header, tables, parts.onProgress))) {
      hash.update(piece);
      yield watched(piece);
    }
    await client.query('commit');
    yield lastLines(hash, tables, parts.secret);
  } finally {
    clearTimeout(patience);
    // What is under way is not waited for: nobody reads it any more.
    client.end().catch(() => {});
    stream.destroy();
  }
}

async function describe(client: pg.Client, { secret, version, now }: BackupParts): Promise<Header> {
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version') as version`);
  return {
    gatewright: version,
    postgres: rows[0]?.version ?? '',
    madeAt: now().toISOString(),
    keyId: keyIdOf(secret),
    ...(await readShape(client)),
  };
}

async function* frames(
  client: pg.Client,
  { tables }: Header,
  summaries: TableSummary[],
  onProgress: BackupParts['onProgress'],
): AsyncGenerator<Buffer, void, void> {
  for (const { name, columns } of tables) {
    yield encodeFrame('T', Buffer.from(name));
    const list = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const rows = copyOut(client, `copy (select ${list} from ${pg.escapeIdentifier(name)}) to stdout`);
    const hash = createHash('sha256');
    let bytes = 0;
    let step = await rows.next();
    for (; !step.done; step = await rows.next()) {
      hash.update(step.value);
      bytes += step.value.length;
      yield encodeFrame('D', step.value);
    }
    summaries.push({ name, rows: step.value, bytes, sha256: hash.digest('hex') });
    onProgress?.({ table: name, rows: step.value, bytes });
  }
  yield encodeFrame('Z');
}

/** One failure ends both sides: of the source here, of the reader there. */
function compressed(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const out = new PassThrough();
  pipeline(source, createZstdCompress(COMPRESSION), out, () => {});
  return out;
}

function lastLines(hash: Hash, tables: readonly TableSummary[], secret: Uint8Array): Buffer {
  const summary: Summary = { tables, bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0) };
  const line = Buffer.from(`${JSON.stringify(summary)}\n`);
  const sha256 = hash.update(line).digest('hex');
  const mac = createHmac('sha256', macKeyOf(secret)).update(sha256).digest('hex');
  return Buffer.concat([line, Buffer.from(encodeSeal(line.length, sha256, mac))]);
}
