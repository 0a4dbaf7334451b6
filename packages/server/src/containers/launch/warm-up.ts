import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

interface Needs {
  /** The program of containers as they are started, without tenant code: with no input it ends by itself. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where Deno keeps what it has compiled. */
  readonly cache: string;
  readonly account: { readonly uid?: number; readonly gid?: number };
  readonly signal: AbortSignal;
}

/** The first stores the program without its types, the second what V8 makes of that. */
const RUNS = 2;

/**
 * Starts the program as containers do and keeps what Deno makes of it: half of a container's start. Afterwards nobody may
 * write there, since containers of all tenants read it. False where it did not come to its end.
 */
export async function warmUp({ command, cwd, environment, cache, account, signal }: Needs): Promise<boolean> {
  const [file = '', ...args] = command;
  try {
    await mkdir(cache);
    if (account.uid !== undefined && account.gid !== undefined) await chown(cache, account.uid, account.gid);
    for (let run = 0; run < RUNS; run++) {
      const child = spawn(file, args, {
        cwd,
        env: environment,
        stdio: 'ignore',
        signal,
        killSignal: 'SIGKILL',
        ...account,
      });
      if ((await exitOf(child)) !== 0) return false;
    }
    // A link for programs that start Node: where it is, Deno puts its folder into the PATH of code that looks for processes.
    await rm(join(cache, 'node_compat_bin'), { recursive: true, force: true });
    for (const entry of await readdir(cache, { recursive: true, withFileTypes: true }))
      if (entry.isDirectory() || entry.isFile())
        await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o444);
    await chmod(cache, 0o755);
    return true;
  } catch {
    return false;
  }
}

/** Waits for the end of one that was stopped, too: until then it writes where the folder is removed. */
function exitOf(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('exit', resolve);
  // A stop is an error first and an exit then; one that never started has no exit.
  child.on('error', () => {
    if (child.pid === undefined) resolve(null);
  });
  return promise;
}
