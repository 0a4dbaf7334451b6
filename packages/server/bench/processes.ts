import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds and memory of whole process trees, from /proc: what a request costs includes PostgreSQL and every child. */

/** Linux reports CPU time in hundredths of a second (USER_HZ), whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Of the process, all its threads and those of its children that have ended and were waited for. */
  readonly cpuSeconds: number;
}

/** The process and all that descend from it. */
export function treeOf(root: number): number[] {
  const all = listProcesses();
  const tree = [root];
  for (const pid of tree) for (const child of all) if (child.parent === pid) tree.push(child.pid);
  return tree;
}

/** CPU seconds that a tree has used so far. */
export function cpuSecondsOf(root: number): number {
  const tree = new Set(treeOf(root));
  return listProcesses()
    .filter(({ pid }) => tree.has(pid))
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

export interface Memory {
  readonly megabytes: number;
  /** PSS shares pages between the processes that map them; RSS, where PSS may not be read, counts them in each. */
  readonly counted: 'PSS' | 'RSS';
}

export function memoryOf(pids: readonly number[]): Memory {
  let kilobytes = 0;
  let counted: Memory['counted'] = 'PSS';
  for (const pid of pids) {
    const pss = kilobytesIn(`/proc/${pid}/smaps_rollup`, 'Pss');
    if (pss === undefined) counted = 'RSS';
    kilobytes += pss ?? kilobytesIn(`/proc/${pid}/status`, 'VmRSS') ?? 0;
  }
  return { megabytes: kilobytes / 1024, counted };
}

function kilobytesIn(file: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(file) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function listProcesses(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      if (stat === undefined) return [];
      // The name in parentheses may hold spaces and parentheses itself; see proc(5) for the fields behind it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
      const ticks = (user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0);
      return [{ pid: Number(name), parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND }];
    });
}

/** A process may end between listing and reading. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
