import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Identity } from './identity.ts';

const PREFIX = 'gatewright-pg-';
/** sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero. */
const PATH_LIMIT = process.platform === 'linux' ? 107 : 103;

/** A folder of a short path that only PostgreSQL and we may enter. The data folder's own path may be too long. */
export async function makeSocketFolder(identity: Identity): Promise<string> {
  for (const parent of new Set([tmpdir(), '/tmp'])) {
    const longest = join(parent, `${PREFIX}XXXXXX`, '.s.PGSQL.5432');
    if (Buffer.byteLength(longest) > PATH_LIMIT) continue;
    const folder = await mkdtemp(join(parent, PREFIX)).catch(() => undefined);
    if (folder === undefined) continue;
    try {
      await identity.own(folder);
      return folder;
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw cause;
    }
  }
  throw new Error(
    `No place for PostgreSQL's socket: neither ${tmpdir()} nor /tmp can be written, or their path is too long. Set TMPDIR to a short folder of yours.`,
  );
}

export function isSocketFolder(path: string): boolean {
  return basename(path).startsWith(PREFIX);
}
