import { createFairQueue } from '../kit/fair-queue.ts';
import type { Log } from '../kit/log.ts';
import { createApiServer } from './api-server.ts';
import { createBlank } from './blank-container.ts';
import { type Container, createContainer } from './container.ts';
import { createContainerPool, type ContainerPool as Pool } from './container-pool.ts';
import { DENY_PRIVATE, type Egress, egressKey } from './egress.ts';
import type { ContainerEvent, ContainerPool, Containers, Job, LateWarning, Outcome } from './job.ts';
import { ContainersUnavailable } from './launch/find-deno.ts';
import { createLauncher } from './launch/launcher.ts';
import { residentBytes } from './launch/resident-memory.ts';
import { watchGreed } from './launch/watch-greed.ts';
import { type ContainerLimits, LIMITS } from './limits.ts';
import { createMask } from './mask-values.ts';
import type { Opener } from './protocol.ts';
import { refused } from './running-job.ts';
import type { Connect } from './tunnel-connections.ts';
import { outsideRequests, tunnelledRequest } from './tunnelled-request.ts';

interface Parts {
  readonly log: Log;
  readonly limits?: ContainerLimits;
  /** The folder of the modules that tenant code may require. */
  readonly moduleStore?: string | undefined;
  /** The folder of those that the operator added. */
  readonly addedModules?: string | undefined;
  /** What the operator allows this tenant's code; public addresses unless said otherwise. */
  readonly egressOf?: (tenantId: string) => Promise<Egress>;
  /** Connects to one `host:port` that the operator allowed this tenant. */
  readonly connectIntranet?: (target: string) => ReturnType<Connect>;
  /** What code is told to ask where a target is closed. */
  readonly opener?: Opener;
  readonly onEvent?: (event: ContainerEvent | LateWarning) => void;
  /** Another binary than npm's. */
  readonly deno?: string;
  /** Where copies are kept for accounts that can't enter the checkout. */
  readonly copiesFolder?: string;
}

/** Room that a job waits for, in the order of tenants. */
interface Waiter {
  readonly give: (container: Container | undefined) => void;
  readonly fail: (cause: unknown) => void;
  readonly start: () => Promise<Container>;
}

/** Tenant code in processes of its own, one tenant each. Decision 0026. */
export function createContainers({
  log,
  limits = LIMITS,
  moduleStore,
  addedModules,
  egressOf = async () => DENY_PRIVATE,
  connectIntranet,
  opener = 'operator',
  onEvent = () => undefined,
  deno,
  copiesFolder,
}: Parts): Containers & { check(): Promise<string | undefined> } {
  const launcher = createLauncher({ limits, moduleStore, addedModules, deno, copiesFolder });
  const apiServer = createApiServer(limits);
  const pools = new Map<string, Pool & { readonly tenantId: string }>();
  const all = new Map<Container, { egress: string; tenantId: string | undefined; pool: ContainerPool | undefined }>();
  const waiters = createFairQueue<Waiter>(10_000);
  const blank = createBlank({
    hasRoom: () => !isStopped && living().length + starting + 1 < limits.containers,
    start: () => counted(() => outsideRequests(() => launcher.warm().then(() => spawn(DENY_PRIVATE)))),
  });
  let starting = 0;
  let lastUsed = performance.now();
  let isStopped = false;
  let pulse: NodeJS.Timeout | undefined;
  let pulses = 0;

  async function execute(job: Job): Promise<Outcome> {
    const depth = tunnelledRequest()?.depth ?? 0;
    if (depth > 1) return refused({ kind: 'too_deep' });
    lastUsed = performance.now();
    const pool = poolOf(job.tenantId, job.pool);
    if (pool.circuit.isOpen()) return refused({ kind: 'circuit_open' });
    try {
      return await pool.execute(job, depth);
    } catch (cause) {
      return refused({ kind: 'unavailable', error: unavailable(cause) });
    }
  }

  function unavailable(cause: unknown): { name: string; message: string } {
    const reason = cause instanceof Error ? cause.cause : undefined;
    log.error('a container could not be started', { error: cause, ...(reason !== undefined && { reason }) });
    if (cause instanceof ContainersUnavailable) return { name: 'ContainersUnavailable', message: cause.message };
    return { name: 'ContainersUnavailable', message: 'The container could not be started.' };
  }

  function poolOf(tenantId: string, name: ContainerPool): Pool {
    const key = `${name}/${tenantId}`;
    const known = pools.get(key);
    if (known) return known;
    const pool: Pool = createContainerPool({
      limits,
      obtain: () => obtain(tenantId, name),
      isCurrent: async (container) => all.get(container)?.egress === egressKey(await egressOf(tenantId)),
    });
    pools.set(key, { ...pool, tenantId });
    return pool;
  }

  /** A place among all containers: a free one, one of somebody who does not use it, else the next that comes free. */
  async function obtain(tenantId: string, name: ContainerPool): Promise<Container | undefined> {
    const start = () => counted(() => outsideRequests(() => startFor(tenantId, name)));
    if (hasRoom() || evictIdle()) return start();
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => resolve(undefined), limits.queueMs);
      const give = (container: Container | undefined) => {
        clearTimeout(patience);
        resolve(container);
      };
      const pushedOut = waiters.push(tenantId, { give, fail: reject, start });
      pushedOut?.give(undefined);
    });
  }

  /** What is being started counts before its process is there. */
  async function counted(start: () => Promise<Container>): Promise<Container> {
    starting++;
    try {
      return await start();
    } finally {
      starting--;
      // Until now it counted twice, as a start and as a process.
      giveRoom();
    }
  }

  function hasRoom(): boolean {
    return living().length + starting < limits.containers;
  }

  function living(): Container[] {
    return [...all.keys()].filter((container) => !container.isEnded());
  }

  /** The one that was idle for longest. */
  function evictIdle(): boolean {
    const [idlest] = living()
      .filter((container) => container.load() === 0 && !blank.is(container))
      .toSorted((one, other) => other.idleMs() - one.idleMs());
    const victim = idlest ?? blank.giveUp();
    victim?.end();
    return victim !== undefined;
  }

  async function startFor(tenantId: string, name: ContainerPool): Promise<Container> {
    const egress = await egressOf(tenantId);
    const key = egressKey(egress);
    const isPlain = egress.mode === 'deny-private';
    const container = (isPlain && (await blank.take())) || (await spawn(egress));
    all.set(container, { egress: key, tenantId, pool: name });
    container.bind(egress.intranet, opener);
    // Not beside it: the two would share the cores while a login waits for one.
    if (isPlain) void container.ready.then(blank.prepare);
    return container;
  }

  async function spawn(egress: Egress): Promise<Container> {
    const child = await launcher.launch(egress);
    // One after the other: each walks the threads, so that the later one could be overtaken.
    let renicing = Promise.resolve();
    const setNice = (nice: number) => {
      renicing = renicing.then(() => launcher.setNice(child, nice));
      return renicing;
    };
    const container: Container = createContainer({
      process: child,
      limits,
      connect: (running, target) => connect(running, target, container),
      onStarted: () => setNice(limits.ordinaryNice),
      onEnded: (reason, detail, part) => ended(container, { reason, detail, ...(part && { part }) }),
      onLateWarning(job, warning) {
        const { tenantId, kind } = job;
        onEvent({ type: 'late_warning', tenantId, kind, warning: { ...warning, text: createMask(job)(warning.text) } });
      },
      onRoom: giveRoom,
    });
    all.set(container, { egress: '', tenantId: undefined, pool: undefined });
    // From the end of its start on, which may be as greedy as it likes.
    void container.ready.then((isReady) => {
      if (!isReady) return;
      const endWatch = watchGreed({
        pid: child.pid,
        limits,
        hasAnswered: () => container.answered() > 0,
        idleMs: container.idleMs,
        setNice,
      });
      void container.gone.then(endWatch);
    });
    // Whoever it was started for has a moment to give it a job.
    const release = container.hold();
    void container.ready.then(() => setImmediate(release));
    void container.gone.then(() => {
      all.delete(container);
      blank.forget(container);
      giveRoom();
    });
    beginPulse();
    if (isStopped) container.end();
    return container;
  }

  const connect = async (running: Parameters<Connect>[0], target: string, container: Container) => {
    if (running.job.tunnel?.hosts.includes(target)) return apiServer.connect(running);
    const { intranet } = await egressOf(running.job.tenantId);
    if (!connectIntranet || !intranet.includes(target) || !all.has(container))
      throw new Error(`The operator has not opened ${target} to this tenant.`);
    return outsideRequests(() => connectIntranet(target));
  };

  function ended(
    container: Container,
    why: Pick<Extract<ContainerEvent, { type: 'container_ended' }>, 'reason' | 'detail' | 'part'>,
  ): void {
    const { tenantId, pool } = all.get(container) ?? {};
    if (tenantId === undefined || pool === undefined) return;
    onEvent({ type: 'container_ended', tenantId, pool, ...why });
    if (poolOf(tenantId, pool).circuit.countKill())
      onEvent({ type: 'circuit_opened', tenantId, pool, forMs: limits.openMs });
  }

  function giveRoom(): void {
    while (waiters.size() > 0 && (hasRoom() || evictIdle())) {
      const waiter = waiters.take();
      waiter?.start().then(waiter.give, waiter.fail);
    }
  }

  function beginPulse(): void {
    pulse ??= setInterval(() => void beat(), limits.heartbeatMs).unref();
  }

  async function beat(): Promise<void> {
    pulses++;
    if (all.size === 0) {
      clearInterval(pulse);
      pulse = undefined;
    }
    for (const [container, { tenantId }] of all) {
      container.beat();
      const isIdle =
        container.idleMs() > limits.idleMs && performance.now() - (tenantId ? 0 : lastUsed) > limits.idleMs;
      if (isIdle) container.end();
      const bytes = container.pid === undefined ? undefined : await residentBytes(container.pid);
      if (bytes !== undefined && bytes > limits.residentBytes) container.end('memory', `${bytes} bytes in memory`);
    }
    for (const [key, pool] of pools)
      if (pool.containers.size + pool.running() + pool.queued() === 0 && !pool.circuit.isOpen() && pulses % 60 === 0)
        pools.delete(key);
  }

  return {
    execute,
    warm(tenantId, name) {
      if (isStopped) return;
      lastUsed = performance.now();
      const pool = poolOf(tenantId, name);
      if (!pool.circuit.isOpen()) pool.warm();
    },
    stats: () => ({
      containers: all.size,
      blank: blank.count(),
      running: [...pools.values()].reduce((sum, pool) => sum + pool.running(), 0),
      queued: [...pools.values()].reduce((sum, pool) => sum + pool.queued(), 0),
      pids: [...all.keys()].flatMap(({ pid }) => pid ?? []),
    }),
    /** Why tenant code can't run here; undefined where it can. */
    check: () =>
      launcher.prepare().then(
        () => launcher.warm().then(() => undefined),
        (cause) => unavailable(cause).message,
      ),
    async stop() {
      isStopped = true;
      clearInterval(pulse);
      for (const waiter of waiters.drain()) waiter.give(undefined);
      const living = [...all.keys()];
      for (const container of living) container.end();
      await Promise.all(living.map(({ gone }) => gone));
      apiServer.stop();
      await launcher.stop();
    },
  };
}
