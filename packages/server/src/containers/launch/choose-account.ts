import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ContainersUnavailable } from './find-deno.ts';

const execute = promisify(execFile);

/** As whom containers run. */
export interface Account {
  /**
   * `other`: one of nobody's accounts each. `namespace`: the server is root, may be nobody else, and containers are nobody in a user
   * namespace, without a right of root. `own`: the server's account, which is not root.
   */
  readonly kind: 'other' | 'namespace' | 'own';
  /** Programs that a container is started through. */
  readonly prefix: readonly string[];
  /** Of the program without tenant code: none that a container has. */
  readonly ofProgram: { readonly uid?: number; readonly gid?: number };
  /** Of the container with this number. */
  of(index: number): { readonly uid?: number; readonly gid?: number };
}

/**
 * Nobody's accounts (the range of systemd's DynamicUser): neither the server's nor PostgreSQL's, and a different one for
 * neighbours, so that the kernel refuses them each other's processes.
 */
const FIRST_UID = 61_184;
const UIDS = 3_999;

const OWN: Account = { kind: 'own', prefix: [], ofProgram: {}, of: () => ({}) };

/** `unshare`: the path of the program, where there is one. Throws where tenant code would run as root. */
export async function chooseAccount(unshare: string | undefined): Promise<Account> {
  if (process.getuid?.() !== 0) return OWN;
  // Not where the server is root of a namespace that has only a few accounts, or lacks the capability.
  if (await works('/bin/true', [], numbered(0))) return { kind: 'other', prefix: [], ofProgram, of: numbered };
  const prefix = unshare ? [unshare, '--user', '--map-user=65534', '--map-group=65534', '--'] : [];
  const [file, ...args] = prefix;
  if (file !== undefined && (await works(file, [...args, '/bin/true'])))
    return { kind: 'namespace', prefix, ofProgram: {}, of: () => ({}) };
  throw new ContainersUnavailable(
    'Tenant code never runs as root, and this server is root without a way to be somebody else. Start it as another account, ' +
      'or give it the capabilities CAP_SETUID and CAP_SETGID, or allow it user namespaces (unshare, package util-linux).',
  );
}

const ofProgram = { uid: FIRST_UID + UIDS, gid: FIRST_UID + UIDS };

function numbered(index: number): { uid: number; gid: number } {
  const id = FIRST_UID + (index % UIDS);
  return { uid: id, gid: id };
}

async function works(
  file: string,
  args: readonly string[],
  account: Partial<ReturnType<typeof numbered>> = {},
): Promise<boolean> {
  try {
    // Thrown at once where the kernel does not know the account, else a rejection.
    await execute(file, [...args], { ...account, cwd: '/', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
