import { open } from 'node:fs/promises';

const LAST_LINES = 12;

/** One message for the person at the terminal: what, where, what to do, and what PostgreSQL itself said. */
export function startFailure(cluster: string, cause: unknown, said: string): Error {
  const text = `${cause instanceof Error ? cause.message : String(cause)}\n${said}`;
  const { what, remedy } = explanations.find(({ sign }) => sign.test(text)) ?? unknown;
  const lines = said.trim().split('\n').slice(-LAST_LINES);
  const quoted = said.trim() === '' ? [firstLine(text)] : lines;
  return new Error(
    [`The embedded PostgreSQL in ${cluster} can't start: ${what}. ${remedy}`, 'It said:', ...indent(quoted)].join('\n'),
    { cause },
  );
}

const RESTORE =
  'Move the folder away (keep it) and restore a backup; without a backup, start on an empty folder. A copy on which `pg_resetwal` of PostgreSQL 18 was run may still be readable';

const explanations: readonly { sign: RegExp; what: string; remedy: string }[] = [
  {
    sign: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/i,
    what: 'the disk is full',
    remedy: 'Free some space (100 MB are enough to start) and start again; what was acknowledged is not lost.',
  },
  {
    sign: /Read-only file system|EROFS/i,
    what: 'its file system is read-only',
    remedy: 'Mount it for writing (a disk that failed is often mounted so), or set GATEWRIGHT_DATA_DIR.',
  },
  {
    sign: /control file|pg_control|valid checkpoint|invalid (primary )?checkpoint|could not open directory "pg_|could not open file "(global|base|pg_|postgresql)|checksum/i,
    what: 'the folder is damaged',
    remedy: `${RESTORE}.`,
  },
  {
    sign: /could not create shared memory|could not resize shared memory|Cannot allocate memory|out of memory/i,
    what: 'there is not enough memory',
    remedy: 'It needs some 50 MB, and 16 MB in /dev/shm.',
  },
  {
    sign: /Permission denied|EACCES|EPERM|wrong ownership/i,
    what: 'this user may not use the folder',
    remedy: 'Start Gatewright as the user that owns it, or change the owner of the whole data folder.',
  },
];

const unknown = { what: 'PostgreSQL ended', remedy: 'Its own words may tell why.' };

/** What was appended to a file since it had `offset` bytes. */
export async function readFrom(path: string, offset: number): Promise<string> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(64 * 1024), position: offset });
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
