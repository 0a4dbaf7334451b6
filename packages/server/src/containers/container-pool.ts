import { createCircuit } from './circuit.ts';
import { inputText } from './clean-json.ts';
import type { Container } from './container.ts';
import type { Job, Outcome } from './job.ts';
import type { ContainerLimits } from './limits.ts';
import { refused } from './running-job.ts';

/** The containers of one tenant and kind of code, and the jobs that wait for one. */
export interface ContainerPool {
  execute(job: Job, depth: number): Promise<Outcome>;
  warm(): void;
  readonly containers: ReadonlySet<Container>;
  readonly circuit: ReturnType<typeof createCircuit>;
  running(): number;
  queued(): number;
}

interface Needs {
  readonly limits: ContainerLimits;
  /** A new container for this tenant, when there is room for one among all tenants'. Undefined: none in time. */
  readonly obtain: () => Promise<Container | undefined>;
  /** What its settings say now: a container that was started under others takes no further jobs. */
  readonly isCurrent: (container: Container) => Promise<boolean>;
}

export function createContainerPool({ limits, obtain, isCurrent }: Needs): ContainerPool {
  const containers = new Set<Container>();
  const circuit = createCircuit(limits);
  const waiting: (() => void)[] = [];
  let running = 0;
  let obtaining: Promise<Container | undefined> | undefined;

  /** Jobs that a job began hold no place: those around them would wait for each other until the limit. */
  async function takePlace(depth: number): Promise<boolean> {
    if (depth > 0) return true;
    if (running < limits.jobsPerPool) {
      running++;
      return true;
    }
    if (waiting.length >= limits.queuePerPool) return false;
    return new Promise((resolve) => {
      const give = () => {
        clearTimeout(patience);
        resolve(true);
      };
      const patience = setTimeout(() => {
        waiting.splice(waiting.indexOf(give), 1);
        resolve(false);
      }, limits.queueMs);
      waiting.push(give);
    });
  }

  function givePlace(depth: number): void {
    if (depth > 0) return;
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  async function execute(job: Job, depth: number): Promise<Outcome> {
    const asked = performance.now();
    const input = inputText(job.input);
    if (Buffer.byteLength(input) > limits.inputBytes) return refused({ kind: 'input_too_large' });
    if (!(await takePlace(depth))) return refused({ kind: 'busy' }, performance.now() - asked);
    try {
      // A container may end between the choice and the job: another one is as good.
      for (let attempt = 0; attempt < 3; attempt++) {
        const chosen = await choose();
        if (!chosen) break;
        const release = chosen.container.hold();
        const ran = (await chosen.container.ready)
          ? chosen.container.run(job, {
              input,
              limitMs: Math.min(job.limitMs ?? limits.jobMs, limits.jobMs),
              cold: chosen.cold,
              depth,
            })
          : undefined;
        release();
        if (ran) return await ran;
      }
      return refused({ kind: 'busy' }, performance.now() - asked);
    } finally {
      givePlace(depth);
    }
  }

  /** The least busy; a second one where all are half full, or busy with something that does not end. */
  async function choose(): Promise<{ container: Container; cold: boolean } | undefined> {
    const best = await leastBusy();
    const isFull = containers.size >= limits.containersPerPool;
    if (best) {
      if (!isFull && best.load() >= limits.jobsPerPool / 2) void obtainOnce().catch(() => undefined);
      return { container: best, cold: false };
    }
    // All are silent: the one that may answer first.
    const [silent] = isFull ? containers : [];
    const container = silent ?? (await obtainOnce());
    return container && { container, cold: container !== silent };
  }

  async function leastBusy(): Promise<Container | undefined> {
    let best: Container | undefined;
    for (const container of [...containers]) {
      if (container.isWorn() || !(await isCurrent(container))) {
        containers.delete(container);
        container.retire();
      } else if (container.isEnded()) containers.delete(container);
      else if (container.isOpen() && !(best && best.load() <= container.load())) best = container;
    }
    return best;
  }

  function obtainOnce(): Promise<Container | undefined> {
    obtaining ??= obtain()
      .then((container) => {
        if (container) containers.add(container);
        void container?.gone.then(() => containers.delete(container));
        return container;
      })
      .finally(() => {
        obtaining = undefined;
      });
    return obtaining;
  }

  return {
    execute,
    warm() {
      if (containers.size === 0) void obtainOnce().catch(() => undefined);
    },
    containers,
    circuit,
    running: () => running,
    queued: () => waiting.length,
  };
}
