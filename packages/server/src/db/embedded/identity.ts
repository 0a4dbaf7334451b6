import { execFile } from 'node:child_process';
import { chown, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Binaries, environment } from './binaries.ts';

const execute = promisify(execFile);

/** As whom PostgreSQL runs: it refuses to run as root. */
export interface Identity {
  readonly description: string;
  /** How to run a program of PostgreSQL on a cluster, and by which path the program reaches that cluster. */
  command(program: string, cluster: string): Command;
  /** Makes PostgreSQL the owner of a file or folder that we made. */
  own(path: string): Promise<void>;
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cluster: string;
  readonly user: { uid?: number; gid?: number };
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export type Way = 'namespace' | 'account';

/** As root there are two ways, found out by trying; `ways` leaves one out. */
export async function chooseIdentity(
  dataDir: string,
  binaries: Binaries,
  ways: readonly Way[] = ['namespace', 'account'],
): Promise<Identity> {
  if (process.getuid?.() !== 0) return ourselves;
  const owner = await ownerOf(join(dataDir, 'pg'));
  const known = await accounts();
  const candidates = [
    // A cluster that an account made stays that account's, where that still works.
    ...(ways.includes('account') ? known.filter(({ uid }) => uid === owner).map(asAccount) : []),
    ...(ways.includes('namespace') ? [inNamespace(known)] : []),
    ...(ways.includes('account') ? fitAccounts(known).map(asAccount) : []),
  ];
  const reasons: string[] = [];
  for (const identity of candidates) {
    const obstacle = await tryOut(identity, dataDir, binaries);
    if (obstacle === undefined) return identity;
    reasons.push(`${identity.description}: ${obstacle}`);
  }
  throw new Error(
    [
      'Gatewright was started by root, and PostgreSQL refuses to run as root. No other way to run it worked here:',
      ...reasons.map((reason) => `  - ${reason}`),
      'Ways out: start Gatewright as an ordinary user that owns the checkout and the data folder; allow user namespaces (unshare); put the checkout where the account above may read it; or set DATABASE_URL to a PostgreSQL 15 or newer.',
    ].join('\n'),
  );
}

const ourselves: Identity = {
  description: 'as the user of this process',
  command: (file, cluster) => ({ file, args: [], cluster, user: {} }),
  own: async () => {},
};

/** Inside its namespace PostgreSQL is an ordinary user; outside, what it opens and makes is root's: 0700 folders of root are no obstacle. */
function inNamespace(known: readonly Account[]): Identity {
  // initdb looks its user up, so the uid must exist. 65534 also stands for every uid that has no place in the namespace.
  const inside = known.find(({ uid }) => uid !== 0 && uid !== 65_534) ?? { uid: 65_534, gid: 65_534 };
  const args = ['--user', `--map-user=${inside.uid}`, `--map-group=${inside.gid}`, '--'];
  return {
    description: 'in a user namespace of its own (unshare)',
    command: (program, cluster) => ({ file: 'unshare', args: [...args, program], cluster, user: {} }),
    own: (path) => chownAll(path, 0, 0),
  };
}

/** Another account can't enter the data folder, which is ours alone; but it may keep a working folder that it was started in. */
function asAccount({ name, uid, gid }: Account): Identity {
  return {
    description: `as the account ${name}`,
    command: (file, cluster) => ({
      file,
      args: [],
      cluster: process.platform === 'linux' ? '/proc/self/cwd' : cluster,
      user: { uid, gid },
    }),
    own: (path) => chownAll(path, uid, gid),
  };
}

/** Not nobody: too many other programs run as that, and could read the database. */
function fitAccounts(known: readonly Account[]): Account[] {
  const names = ['gatewright', 'postgres', process.env.SUDO_USER, 'daemon'];
  return names.flatMap((name) => known.filter((account) => account.name === name && account.uid !== 0)).slice(0, 2);
}

async function tryOut(identity: Identity, dataDir: string, binaries: Binaries): Promise<string | undefined> {
  const { file, args, user } = identity.command(binaries.postgres, dataDir);
  try {
    await execute(file, [...args, '--version'], { ...user, cwd: '/', env: environment(binaries), timeout: 10_000 });
    return undefined;
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    return said || (cause instanceof Error ? cause.message : String(cause));
  }
}

async function ownerOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.uid === 0 ? undefined : found?.uid;
}

/** The folder itself comes last, so that a kill in the middle leaves it to be done again. */
async function chownAll(path: string, uid: number, gid: number): Promise<void> {
  const found = await lstat(path);
  if (found.uid === uid) return;
  if (found.isDirectory()) {
    for (const name of await readdir(path)) await chownAll(join(path, name), uid, gid);
  }
  if (!found.isSymbolicLink()) await chown(path, uid, gid);
}

async function accounts(): Promise<Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
