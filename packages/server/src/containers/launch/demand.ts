import { readFileSync } from 'node:fs';

/**
 * For how many milliseconds the main thread of a process has run, or waited for a core; undefined where the kernel does not
 * tell (macOS), or it is gone. Read at once: it is no file of a disk.
 */
export function demandOf(pid: number): number | undefined {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
    return (Number(ran) + Number(waited)) / 1e6;
  } catch {
    return undefined;
  }
}
