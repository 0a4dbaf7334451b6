import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Whose jobs are whose, beyond the end of a process: one server at a time has a data folder (its lock says so), and two
 * machines that share a database have names of their own.
 */
export function serverName(dataDir: string): string {
  return createHash('sha256')
    .update(JSON.stringify([hostname(), realpathSync(dataDir)]))
    .digest('hex')
    .slice(0, 32);
}
