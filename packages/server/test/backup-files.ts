import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import pg from 'pg';
import {
  decodeSeal,
  encodeSeal,
  FIRST_LINE,
  type Header,
  macKeyOf,
  SEAL_BYTES,
  type Summary,
} from '../src/backup/backup-format.ts';
import { writeBackup } from '../src/backup/write-backup.ts';
import { type Config, readConfig } from '../src/config.ts';
import { WORLD_SECRET } from './world.ts';

/** A backup of a test's database, as the server writes it. */
export async function backUp(poolOptions: pg.PoolConfig, secret: Buffer = WORLD_SECRET): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const now = () => new Date();
  for await (const piece of writeBackup({ poolOptions, secret, version: '0.1.0', now })) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Folders of a test file, removed by its `afterAll`: data folders and backups. */
export async function createFolders() {
  const parent = await mkdtemp(join(await realpath(tmpdir()), 'gatewright-backup-'));
  const newFolder = () => mkdtemp(join(parent, 'data-'));
  return {
    newFolder,
    async fileOf(content: Buffer): Promise<string> {
      const path = join(await newFolder(), 'some.backup');
      await writeFile(path, content);
      return path;
    },
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

/** What `gatewright restore` reads from its environment. */
export function restoreConfig(databaseUrl: string, dataDir: string, secret?: Buffer): Config {
  return readConfig({
    DATABASE_URL: databaseUrl,
    GATEWRIGHT_DATA_DIR: dataDir,
    ...(secret && { GATEWRIGHT_SECRET: secret.toString('utf8') }),
  });
}

/** The parts of a backup file that a forger would change. */
export interface Parts {
  header: Header;
  body: Buffer;
  summary: Summary;
}

export function takeApart(file: Buffer): Parts {
  const seal = decodeSeal(file.subarray(-SEAL_BYTES).toString());
  const headerEnd = file.indexOf('\n', FIRST_LINE.length);
  const summaryAt = file.length - SEAL_BYTES - (seal?.summaryBytes ?? 0);
  return {
    header: JSON.parse(file.subarray(FIRST_LINE.length, headerEnd).toString()),
    body: zstdDecompressSync(file.subarray(headerEnd + 1, summaryAt)),
    summary: JSON.parse(file.subarray(summaryAt, file.length - SEAL_BYTES).toString()),
  };
}

/** As somebody would who knows the format and, unless another is given, the key. */
export function putTogether({ header, body, summary }: Parts, secret: Buffer = WORLD_SECRET): Buffer {
  const line = Buffer.from(`${JSON.stringify(summary)}\n`);
  const before = Buffer.concat([Buffer.from(`${FIRST_LINE}${JSON.stringify(header)}\n`), zstdCompressSync(body), line]);
  const sha256 = createHash('sha256').update(before).digest('hex');
  const mac = createHmac('sha256', macKeyOf(secret)).update(sha256).digest('hex');
  return Buffer.concat([before, Buffer.from(encodeSeal(line.length, sha256, mac))]);
}

/** Without a connection that stays: a restore takes one for a server's. */
export async function ask<Row extends pg.QueryResultRow>(connectionString: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Rows of every table, as a backup counts them. */
export async function countRows(connectionString: string, tables: readonly string[]): Promise<Record<string, number>> {
  const counts = tables
    .map((name) => `select '${name}' as name, count(*)::int as rows from ${name}`)
    .join(' union all ');
  const rows = await ask<{ name: string; rows: number }>(connectionString, counts);
  return Object.fromEntries(rows.map(({ name, rows: count }) => [name, count]));
}
