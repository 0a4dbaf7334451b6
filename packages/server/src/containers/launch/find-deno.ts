import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Below this, its network permissions have known holes. */
const OLDEST: readonly [number, number, number] = [2, 9, 6];
/** Whose content package-lock.json knows, so that npm has compared it. */
const VERIFIED: ReadonlySet<string> = new Set(['@deno/linux-x64-glibc']);
const PACKAGE = `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;

/** Why no container can be started here; told to the operator and in the tenant's log, which names no path: `cause` does. */
export class ContainersUnavailable extends Error {}

/** The binary of npm's platform package: no install script has to run. */
export function findDeno(name = PACKAGE): string {
  let file: string;
  try {
    file = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'deno');
  } catch {
    throw new ContainersUnavailable(
      `Tenant code runs in Deno, which is not installed: the package ${name} is missing. Run \`npm ci\` without leaving out optional dependencies. There is none for Alpine Linux (musl): use a glibc image.`,
    );
  }
  if (!VERIFIED.has(name))
    throw new ContainersUnavailable(
      `Tenant code runs in Deno, and the registry had no ${name} ${OLDEST.join('.')} when this version was made: what is installed can't be compared with anything. Run tenant code on Linux x64 until a newer version of this server knows it.`,
    );
  return file;
}

/** Asks the binary itself, as the account that will run it. */
export async function checkDeno(file: string, account: { uid?: number; gid?: number } = {}): Promise<void> {
  const { stdout } = await execute(file, ['--version'], { ...account, cwd: '/', env: {}, timeout: 10_000 }).catch(
    (cause: Error) => {
      throw new ContainersUnavailable('Tenant code runs in Deno, which does not start.', { cause });
    },
  );
  const version = /^deno (\d+)\.(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? [];
  if (isOlder(version))
    throw new ContainersUnavailable(
      `Tenant code needs Deno ${OLDEST.join('.')} or newer, and this one is ${version.join('.') || 'something else'}: older ones let it reach private addresses. Run \`npm ci\`.`,
    );
}

function isOlder(version: readonly number[]): boolean {
  for (const [index, least] of OLDEST.entries()) {
    const part = version[index] ?? -1;
    if (part !== least) return part < least;
  }
  return false;
}
