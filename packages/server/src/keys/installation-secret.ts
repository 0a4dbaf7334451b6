import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../db/database.ts';
import { randomSecret } from '../kit/ids.ts';
import { createSealer, type Sealer } from '../kit/seal.ts';

interface Options {
  /** GATEWRIGHT_SECRET */
  readonly given: string | undefined;
  readonly dataDir: string;
  /** Whether the database holds what a secret has sealed: then it is another one than we could make. */
  readonly isNeeded: () => Promise<boolean>;
}

/** Where the key to everything sealed comes from; the message of a wrong one names it. */
export interface InstallationSecret {
  readonly bytes: Buffer;
  readonly source: 'GATEWRIGHT_SECRET' | string;
}

const SHORTEST = 32;
/** A random hex text of 32 characters has fewer than 8 different ones once in 10^9. */
const FEWEST_CHARACTERS = 8;

/** What is wrong with a GATEWRIGHT_SECRET; undefined when nothing is. */
export function faultOfSecret(text: string): string | undefined {
  if (text.length < SHORTEST)
    return `GATEWRIGHT_SECRET has ${text.length} characters; it needs at least ${SHORTEST}, for example the output of "openssl rand -base64 32".`;
  if (new Set(text).size < FEWEST_CHARACTERS)
    return 'GATEWRIGHT_SECRET repeats too few characters to be random; use the output of "openssl rand -base64 32".';
  return undefined;
}

/** What is at hand, without making anything; undefined where there is none. */
export async function findInstallationSecret({
  given,
  dataDir,
}: Pick<Options, 'given' | 'dataDir'>): Promise<InstallationSecret | undefined> {
  if (!given && !(await isReadable(secretFile(dataDir)))) return undefined;
  return readInstallationSecret({ given, dataDir, isNeeded: async () => true });
}

/** GATEWRIGHT_SECRET as it stands, else `<data>/secret.key`, which the first start makes. */
export async function readInstallationSecret({ given, dataDir, isNeeded }: Options): Promise<InstallationSecret> {
  if (given) {
    const fault = faultOfSecret(given);
    if (fault) throw new Error(fault);
    return { bytes: Buffer.from(given, 'utf8'), source: 'GATEWRIGHT_SECRET' };
  }
  const file = secretFile(dataDir);
  if (!(await isReadable(file))) {
    if (await isNeeded()) throw new Error(missing(file));
    await createOnce(file);
  }
  await chmod(file, 0o600);
  const text = (await readFile(file, 'utf8')).trim();
  if (text.length < SHORTEST) {
    throw new Error(`${file} is damaged: it holds no secret. Restore it from a backup, or set GATEWRIGHT_SECRET.`);
  }
  return { bytes: Buffer.from(text, 'utf8'), source: file };
}

const secretFile = (dataDir: string): string => join(dataDir, 'secret.key');

function missing(file: string): string {
  return (
    `${file} is missing, and this database holds keys and secrets that were sealed with another start's. ` +
    'Put that secret.key there, from a backup or from the data folder of another server on this database, or set GATEWRIGHT_SECRET ' +
    'to its content or to the value that the database was first started with. If it is lost for good, `gatewright keys reset` makes ' +
    'new keys and secrets. Nothing was written.'
  );
}

/** Every tenant has a signing key, and that is sealed. */
export async function holdsSealed(db: Database): Promise<boolean> {
  return (await db.selectFrom('signing_keys').select('kid').limit(1).executeTakeFirst()) !== undefined;
}

/**
 * The sealer of this installation, once it is sure that it opens what the database holds. The canary is a current
 * signing key: every tenant has one, so a check value of its own would say nothing more.
 */
export async function openSealer(secret: InstallationSecret, db: Database): Promise<Sealer> {
  const sealer = createSealer(secret.bytes);
  const canary = await db
    .selectFrom('signing_keys')
    .select(['tenant_id', 'kid', 'private_key'])
    .where('state', '=', 'current')
    .orderBy('tenant_id')
    .limit(1)
    .executeTakeFirst();
  if (canary && !opens(sealer, canary.private_key, `signing_keys/${canary.tenant_id}/${canary.kid}`)) {
    throw new Error(
      `The secrets in this database were sealed with another key than the one in ${secret.source}. ` +
        'Set GATEWRIGHT_SECRET to the value that this database was first started with, or put the secret.key of that data folder back.',
    );
  }
  return sealer;
}

function opens(sealer: Sealer, sealed: Buffer, context: string): boolean {
  try {
    sealer.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}

/** False where there is none. */
function isReadable(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false;
      throw new Error(`${file} can't be read (${cause.code}).`, { cause });
    },
  );
}

/** The file appears whole, and of two servers that start at once the first one's stays. */
async function createOnce(file: string): Promise<void> {
  const draft = `${file}.${randomSecret(6)}`;
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  } finally {
    await rm(draft, { force: true });
  }
}
