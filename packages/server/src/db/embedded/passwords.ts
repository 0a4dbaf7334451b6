import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

const REMEDY =
  'without the passwords in it the embedded PostgreSQL can not be used. Restore the file, or the whole data folder, from a copy.';

/** Passwords of the cluster's two roles, made once. They are older than the cluster, so that no kill leaves it without them. */
export async function ensurePasswords(dataDir: string): Promise<Passwords> {
  const path = join(dataDir, 'pg-passwords.json');
  const stored = await readFile(path, 'utf8').catch(() => undefined);
  if (stored !== undefined) {
    checkCluster(dataDir, path);
    return parsePasswords(path, stored);
  }
  if (existsSync(join(dataDir, 'pg/PG_VERSION'))) throw new Error(`${path} is missing: ${REMEDY}`);
  const passwords = { superuser: randomBytes(32).toString('hex'), application: randomBytes(32).toString('hex') };
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(passwords));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
  return passwords;
}

export interface Passwords {
  readonly superuser: string;
  readonly application: string;
}

/** Both are made after the cluster was: without it the data is lost, and a fresh one would hide that. */
const AFTER_THE_CLUSTER = ['secret.key', 'postgres.log'];

function checkCluster(dataDir: string, path: string): void {
  const cluster = join(dataDir, 'pg');
  if (existsSync(cluster) && readdirSync(cluster).length > 0) return;
  const traces = AFTER_THE_CLUSTER.filter((name) => existsSync(join(dataDir, name)));
  if (traces.length === 0) return;
  throw new Error(
    `The PostgreSQL cluster ${cluster} is missing, and ${[path, ...traces.map((name) => join(dataDir, name))].join(' and ')} say that there was one. Put the folder back (or mount it), or, to begin anew, move the whole data folder ${dataDir} away.`,
  );
}

function parsePasswords(path: string, text: string): Passwords {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'superuser' in parsed && 'application' in parsed) {
      return { superuser: String(parsed.superuser), application: String(parsed.application) };
    }
  } catch {}
  throw new Error(`${path} is damaged: ${REMEDY}`);
}
