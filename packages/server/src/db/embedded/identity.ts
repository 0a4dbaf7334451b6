import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** As whom PostgreSQL runs. It refuses to run as root. */
export interface Identity {
  readonly description: string;
  /** Who owns its files; undefined: whoever we are. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  command(program: string, args: readonly string[]): { file: string; args: string[]; uid?: number; gid?: number };
}

const ourselves: Identity = {
  description: 'as the user of this process',
  command: (file, args) => ({ file, args: [...args] }),
};

export async function chooseIdentity(probe: { folder: string; postgres: string }): Promise<Identity> {
  if (process.getuid?.() !== 0) return ourselves;
  const account = (await accounts()).find(({ uid }) => uid !== 0 && uid !== 65_534);
  const identity = inNamespace(account?.uid ?? 65_534, account?.gid ?? 65_534);
  const { file, args } = identity.command('/bin/sh', [
    '-c',
    'cd "$1" && test -w . && exec "$2" --version',
    'sh',
    probe.folder,
    probe.postgres,
  ]);
  await execute(file, args);
  return identity;
}

/** Inside the namespace we are an ordinary user; outside, what it opens and makes is root's, so a 0700 folder of root is no obstacle. */
function inNamespace(uid: number, gid: number): Identity {
  return {
    description: 'as root in a user namespace of its own',
    owner: { uid: 0, gid: 0 },
    command: (file, args) => ({
      file: 'unshare',
      args: ['--user', `--map-user=${uid}`, `--map-group=${gid}`, '--', file, ...args],
    }),
  };
}

/** initdb looks its user up by uid, so the user must exist. */
async function accounts(): Promise<{ name: string; uid: number; gid: number }[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
