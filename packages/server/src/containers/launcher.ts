import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AddedModules, readAddedModules } from './added-modules.ts';
import { type Egress, networkFlags } from './egress.ts';
import { ContainersUnavailable, checkDeno, findDeno } from './find-deno.ts';
import type { ContainerLimits } from './limits.ts';
import { findProgram, makeRunFolder, type RunFolder } from './run-folder.ts';

export type ContainerProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the processes: as whom, with what limits, in which folder, with what permissions. */
export interface Launcher {
  /** Finds out once what this machine offers. Throws ContainersUnavailable. */
  prepare(): Promise<void>;
  launch(egress: Egress): Promise<ContainerProcess>;
  stop(): Promise<void>;
}

interface Parts {
  readonly limits: ContainerLimits;
  /** The folder of the modules that tenant code may require; none where it is undefined. */
  readonly moduleStore?: string | undefined;
  /** The folder of those that the operator added; it need not be there. */
  readonly addedModules?: string | undefined;
  readonly deno?: string | undefined;
}

interface Place {
  readonly folder: RunFolder;
  /** Programs that each replace themselves by the next: priority, limits, account, Deno. */
  readonly prefix: readonly string[];
  readonly deno: string;
  readonly program: string;
  readonly store: string | undefined;
  readonly added: AddedModules | undefined;
  readonly switchesAccount: boolean;
}

const PROGRAM = fileURLToPath(new URL('./program', import.meta.url));
/**
 * Nobody's accounts (the range of systemd's DynamicUser): neither the server's nor PostgreSQL's, and a different one for
 * neighbours, so that the kernel refuses them each other's processes.
 */
const FIRST_UID = 61_184;
const UIDS = 4_000;

const execute = promisify(execFile);

export function createLauncher({ limits, moduleStore, addedModules, deno: given }: Parts): Launcher {
  let prepared: Promise<Place> | undefined;
  let launched = 0;

  async function prepare(): Promise<Place> {
    const deno = given ?? findDeno();
    await access(deno, constants.X_OK).catch((cause: Error) => {
      throw new ContainersUnavailable('Tenant code runs in Deno, which does not start.', { cause });
    });
    const folder = await makeRunFolder();
    try {
      const switchesAccount = process.getuid?.() === 0 && (await maySwitch());
      const reach = switchesAccount ? folder.reach : async (path: string) => path;
      const place: Place = {
        folder,
        switchesAccount,
        prefix: await prefixOf(switchesAccount),
        deno: await reach(deno),
        // The types that its files share lie above; they are erased, and never opened.
        program: await reach(PROGRAM),
        store: moduleStore && (await reach(moduleStore)),
        added: addedModules ? readAddedModules(addedModules, switchesAccount ? folder.path : undefined) : undefined,
      };
      await checkDeno(place.deno, switchesAccount ? accountOf(0) : {});
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
  async function prefixOf(switchesAccount: boolean): Promise<string[]> {
    if (process.platform !== 'linux') return [];
    const [nice, prlimit, setpriv, unshare] = await Promise.all(
      ['nice', 'prlimit', 'setpriv', 'unshare'].map(findProgram),
    );
    if (!prlimit) throw new ContainersUnavailable('Tenant code needs the program prlimit (package util-linux).');
    const apart = process.getuid?.() === 0 && !switchesAccount;
    return [
      ...(nice ? [nice, '-n', '10'] : []),
      ...(apart && unshare ? [unshare, '--user', '--map-user=65534', '--map-group=65534', '--'] : []),
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
    async launch(egress) {
      const { folder, prefix, deno, program, store, added, switchesAccount } = await place();
      const [file = deno, ...args] = [
        ...prefix,
        deno,
        ...denoArguments(program, [store, await added?.current()], egress),
      ];
      return spawn(file, args, {
        cwd: folder.empty,
        env: environment(folder.empty),
        stdio: ['pipe', 'pipe', 'pipe'],
        ...(switchesAccount && accountOf(launched++)),
      });
    },
    async stop() {
      const { folder } = (await prepared?.catch(() => undefined)) ?? {};
      await folder?.remove();
    },
  };

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

function accountOf(index: number): { uid: number; gid: number } {
  const id = FIRST_UID + (index % UIDS);
  return { uid: id, gid: id };
}

/** Not where the server is root of a namespace that has only a few accounts, or lacks the capability. */
async function maySwitch(): Promise<boolean> {
  return execute('/bin/true', [], accountOf(0)).then(
    () => true,
    () => false,
  );
}

/** Nothing of the server's environment: it holds DATABASE_URL and GATEWRIGHT_SECRET. */
function environment(folder: string): NodeJS.ProcessEnv {
  return { HOME: folder, DENO_DIR: folder, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', TZ: 'UTC', LANG: 'C.UTF-8' };
}
