import { createHash, createHmac } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { equalSecrets } from '../kit/digest.ts';
import { decodeFrames, type Frame } from '../kit/frames.ts';
import { backupErrors } from './backup-errors.ts';
import {
  decodeSeal,
  FIRST_LINE,
  type Header,
  keyIdOf,
  MOST_JSON_BYTES,
  macKeyOf,
  parseHeader,
  parseSummary,
  SEAL_BYTES,
  type Summary,
} from './backup-format.ts';

/** Of the compressed part: `T` begins a table, `D` are its rows, `Z` ends it all. */
const FRAMES = ['T', 'D', 'Z'] as const;
export type BackupFrame = Frame<(typeof FRAMES)[number]>;

export interface Backup {
  readonly header: Header;
  readonly summary: Summary;
  readonly fileBytes: number;
  /** Whether this very key made the file, and nobody changed it since. */
  isSealedBy(secret: Uint8Array): boolean;
  /** Whether what is sealed in it opens with this key. */
  isOpenedBy(secret: Uint8Array): boolean;
  frames(): AsyncGenerator<BackupFrame, void, void>;
  close(): Promise<void>;
}

/** What a small file may become: real rows, with their ids and hashes, shrink by far less. */
const MOST_SHRUNK = 1_000;
const FREE_BYTES = 16 * 1024 * 1024;
/** zstd's window, at most 8 MiB: a hostile file could ask for gigabytes of memory. */
const DECOMPRESSION = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

/** Reads the whole file once, without unpacking it: what is cut off or damaged is refused here, before anything is written. */
export async function openBackup(path: string): Promise<Backup> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw backupErrors.unreadable({ path, code: cause.code ?? cause.message }, { cause });
  });
  try {
    return await readEnds(file, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readEnds(file: FileHandle, path: string): Promise<Backup> {
  const found = await file.stat();
  if (!found.isFile()) throw backupErrors.unreadable({ path, code: 'no file' });
  const fileBytes = found.size;
  if ((await read(file, 0, FIRST_LINE.length)).toString('latin1') !== FIRST_LINE) throw backupErrors.noBackup({ path });
  const seal = decodeSeal((await read(file, fileBytes - SEAL_BYTES, SEAL_BYTES)).toString('latin1'));
  if (!seal) throw backupErrors.cutOff({ path });
  const { summaryBytes, sha256, mac } = seal;
  const summaryAt = fileBytes - SEAL_BYTES - summaryBytes;
  if (summaryBytes > MOST_JSON_BYTES || summaryAt < FIRST_LINE.length) throw backupErrors.damaged({ path });
  if ((await digestOf(file, fileBytes - SEAL_BYTES)) !== sha256) throw backupErrors.damaged({ path });
  const headerLine = await readLine(file, FIRST_LINE.length);
  const header = parseHeader(parse(headerLine));
  const summary = parseSummary(parse((await read(file, summaryAt, summaryBytes)).toString('utf8')));
  if (!header || !summary || !isConsistent(header, summary)) throw backupErrors.damaged({ path });
  const bodyAt = FIRST_LINE.length + Buffer.byteLength(headerLine) + 1;
  if (summary.bytes > FREE_BYTES + MOST_SHRUNK * (summaryAt - bodyAt)) throw backupErrors.bomb({ path });
  return {
    header,
    summary,
    fileBytes,
    isSealedBy: (secret) =>
      equalSecrets(createHmac('sha256', macKeyOf(secret)).update(sha256).digest('hex'), mac) &&
      header.keyId === keyIdOf(secret),
    isOpenedBy: (secret) => header.keyId === keyIdOf(secret),
    frames: () => decodeFrames(decompressed(file, bodyAt, summaryAt), FRAMES),
    close: () => file.close(),
  };
}

function isConsistent(header: Header, { tables, bytes }: Summary): boolean {
  const names = new Set(tables.map(({ name }) => name));
  return (
    names.size === tables.length &&
    tables.length === header.tables.length &&
    header.tables.every(({ name }, place) => tables[place]?.name === name) &&
    tables.reduce((sum, table) => sum + table.bytes, 0) === bytes
  );
}

function decompressed(file: FileHandle, start: number, end: number): AsyncIterable<Buffer> {
  const out = createZstdDecompress(DECOMPRESSION);
  pipeline(file.createReadStream({ start, end: end - 1, autoClose: false }), out, () => {});
  return out;
}

async function digestOf(file: FileHandle, end: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, end: end - 1, autoClose: false })) hash.update(piece);
  return hash.digest('hex');
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (position < 0) return Buffer.alloc(0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function readLine(file: FileHandle, position: number): Promise<string> {
  const text = await read(file, position, MOST_JSON_BYTES);
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.toString('utf8', 0, end);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
