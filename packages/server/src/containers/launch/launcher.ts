import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DENY_PRIVATE, type Egress, networkFlags } from '../egress.ts';
import type { ContainerLimits } from '../limits.ts';
import { type AddedModules, readAddedModules } from './added-modules.ts';
import { type Account, chooseAccount } from './choose-account.ts';
import { ContainersUnavailable, checkDeno, findDeno } from './find-deno.ts';
import { createKeptCopies } from './kept-copies.ts';
import { findProgram, makeRunFolder, type RunFolder } from './run-folder.ts';
import { setNice } from './set-nice.ts';
import { warmUp } from './warm-up.ts';

export type ContainerProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the processes: as whom, with what limits, in which folder, with what permissions. */
export interface Launcher {
  /** Finds out once what this machine offers. Throws ContainersUnavailable. */
  prepare(): Promise<void>;
  /** Makes starts faster from now on: once, and off the path of those that wait for one. */
  warm(): Promise<void>;
  launch(egress: Egress): Promise<ContainerProcess>;
  /** Its priority from now on. */
  setNice(process: ContainerProcess, nice: number): Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  readonly limits: ContainerLimits;
  /** The folder of the modules that tenant code may require; none where it is undefined. */
  readonly moduleStore?: string | undefined;
  /** The folder of those that the operator added; it need not be there. */
  readonly addedModules?: string | undefined;
  readonly deno?: string | undefined;
  /** Where copies are kept that other accounts need. */
  readonly copiesFolder?: string | undefined;
}

interface Place {
  readonly folder: RunFolder;
  /** Programs that each replace themselves by the next: account, limits, Deno. */
  readonly prefix: readonly string[];
  readonly deno: string;
  readonly program: string;
  readonly store: string | undefined;
  readonly added: AddedModules | undefined;
  readonly account: Account;
}

const PROGRAM = fileURLToPath(new URL('../program', import.meta.url));

export function createLauncher({ limits, moduleStore, addedModules, deno: given, copiesFolder }: Parts): Launcher {
  const copies = createKeptCopies(copiesFolder);
  let prepared: Promise<Place> | undefined;
  const accounts = new WeakMap<ContainerProcess, ReturnType<Account['of']>>();
  const stopping = new AbortController();
  let warming: Promise<void> | undefined;
  /** What Deno has compiled, once that is complete. */
  let cache: string | undefined;
  let launched = 0;

  async function prepare(): Promise<Place> {
    const deno = given ?? findDeno();
    await access(deno, constants.X_OK).catch((cause: Error) => {
      throw new ContainersUnavailable('Tenant code runs in Deno, which does not start.', { cause });
    });
    const account = await chooseAccount(await findProgram('unshare'));
    const isOther = account.kind === 'other';
    const folder = await makeRunFolder(copies);
    try {
      const reach = isOther ? folder.reach : async (path: string) => path;
      const place: Place = {
        folder,
        account,
        prefix: await prefixOf(account),
        deno: await reach(deno),
        // The types that its files share lie above; they are erased, and never opened.
        program: await reach(PROGRAM),
        store: moduleStore && (await reach(moduleStore)),
        added: addedModules ? readAddedModules(addedModules, isOther ? folder.path : undefined) : undefined,
      };
      await checkDeno(place.deno, account.of(0));
      return place;
    } catch (cause) {
      await folder.remove();
      throw cause;
    }
  }

  /** A failure is not kept: what was missing may be there the next time. */
  function place(): Promise<Place> {
    prepared ??= prepare().catch((cause: unknown) => {
      prepared = undefined;
      throw cause;
    });
    return prepared;
  }

  /** util-linux is in every Debian image; where there is no prlimit (macOS), Deno's own limits are all there is. */
  async function prefixOf(account: Account): Promise<string[]> {
    if (process.platform !== 'linux') return [];
    const [prlimit, setpriv] = await Promise.all(['prlimit', 'setpriv'].map(findProgram));
    if (!prlimit) throw new ContainersUnavailable('Tenant code needs the program prlimit (package util-linux).');
    return [
      ...account.prefix,
      prlimit,
      `--data=${limits.dataMegabytes * 1024 * 1024}`,
      '--core=0',
      '--nofile=256',
      '--',
      // It dies with the server, even where an endless loop keeps it from noticing that its input ended.
      ...(setpriv ? [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--'] : []),
    ];
  }

  return {
    prepare: async () => void (await place()),
    warm() {
      warming ??= warm().catch(() => {
        // A launch says why.
        warming = undefined;
      });
      return warming;
    },
    async launch(egress) {
      const { folder, store, added, account, ...how } = await place();
      const [file = how.deno, ...args] = commandOf(how, [store, await added?.current()], egress);
      const own = account.of(launched++);
      const child = spawn(file, args, {
        cwd: folder.empty,
        env: environment(folder.empty, cache ?? folder.empty),
        stdio: ['pipe', 'pipe', 'pipe'],
        ...own,
      });
      accounts.set(child, own);
      return child;
    },
    async setNice(child, nice) {
      if (child.pid !== undefined) await setNice(child.pid, nice, accounts.get(child) ?? {});
    },
    async stop() {
      stopping.abort();
      await warming;
      const { folder } = (await prepared?.catch(() => undefined)) ?? {};
      copies.stop();
      await folder?.remove();
    },
  };

  async function warm(): Promise<void> {
    const { folder, account, ...how } = await place();
    const made = join(folder.path, 'cache');
    const isWarm = await warmUp({
      command: commandOf(how, [], DENY_PRIVATE),
      cwd: folder.empty,
      environment: environment(folder.empty, made),
      cache: made,
      account: account.ofProgram,
      signal: stopping.signal,
    });
    if (isWarm) cache = made;
  }

  function commandOf(
    { prefix, deno, program }: Pick<Place, 'prefix' | 'deno' | 'program'>,
    stores: readonly (string | undefined)[],
    egress: Egress,
  ): string[] {
    return [...prefix, deno, ...denoArguments(program, stores, egress)];
  }

  function denoArguments(program: string, stores: readonly (string | undefined)[], egress: Egress): string[] {
    const readable = stores.filter((folder) => folder !== undefined);
    return [
      'run',
      '--quiet',
      '--no-prompt',
      '--no-remote',
      '--no-npm',
      '--cached-only',
      '--no-config',
      '--no-lock',
      '--node-modules-dir=manual',
      '--allow-env',
      '--allow-sys=hostname',
      ...(readable.length > 0 ? [`--allow-read=${readable.join(',')}`] : []),
      ...networkFlags(egress),
      `--v8-flags=--max-old-space-size=${limits.heapMegabytes}`,
      `${program}/main.ts`,
      // A place each: the program knows them by their order.
      ...stores.map((folder) => folder ?? ''),
    ];
  }
}

/** Nothing of the server's environment: it holds DATABASE_URL and GATEWRIGHT_SECRET. */
function environment(folder: string, cache: string): NodeJS.ProcessEnv {
  return { HOME: folder, DENO_DIR: cache, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', TZ: 'UTC', LANG: 'C.UTF-8' };
}
