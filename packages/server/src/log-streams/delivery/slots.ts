export interface Slots {
  /** False where all are taken: of everybody, or of this host. */
  take(host: string): boolean;
  release(host: string): void;
  /** Whether somebody was turned away since the last look: what is free now may be theirs. */
  takeRefused(): boolean;
}

const OF_ALL = 256;
const OF_A_HOST = 20;

/** How many sends are open at once in this process, whoever's they are: a host that hangs keeps its own share and no more. */
export function createSlots({ ofAll = OF_ALL, ofAHost = OF_A_HOST } = {}): Slots {
  const hosts = new Map<string, number>();
  let all = 0;
  let isRefused = false;

  return {
    take(host) {
      const open = hosts.get(host) ?? 0;
      if (all >= ofAll || open >= ofAHost) {
        isRefused = true;
        return false;
      }
      all++;
      hosts.set(host, open + 1);
      return true;
    },
    release(host) {
      const open = (hosts.get(host) ?? 1) - 1;
      all--;
      if (open === 0) hosts.delete(host);
      else hosts.set(host, open);
    },
    takeRefused() {
      const was = isRefused;
      isRefused = false;
      return was;
    },
  };
}
