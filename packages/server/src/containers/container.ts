import { randomBytes } from 'node:crypto';
import { Breach, type EndReason } from './breach.ts';
import { createContainerJobs } from './container-jobs.ts';
import type { Job, Outcome, PartName, Warning } from './job.ts';
import type { ContainerProcess } from './launch/launcher.ts';
import type { ContainerLimits } from './limits.ts';
import type { Opener, ToContainer } from './protocol.ts';
import { readLines } from './read-lines.ts';
import { readMessage } from './read-message.ts';
import { createRunningJob, type RunningJob } from './running-job.ts';
import { type Connect, createTunnelConnections } from './tunnel-connections.ts';

/** One process with tenant code. It belongs to one tenant from `bind` to its end. */
export interface Container {
  readonly pid: number | undefined;
  /** True once it has said that it is ready; false where it ended before. */
  readonly ready: Promise<boolean>;
  readonly gone: Promise<void>;
  /** Gives it to a tenant; `targets` are what the operator opened to that tenant. */
  bind(targets: readonly string[], opener: Opener): void;
  /** Undefined where it has ended: nothing was run. */
  run(job: Job, options: RunOptions): Promise<Outcome> | undefined;
  /** How many jobs it has answered. */
  answered(): number;
  /** Jobs that it has not answered, and places that are held. */
  load(): number;
  /** Keeps it from being ended as idle; what comes back gives the place up. */
  hold(): () => void;
  /** Whether it takes further jobs now: not where it owes a sign of life. */
  isOpen(): boolean;
  /** Whether it has served long enough. */
  isWorn(): boolean;
  isEnded(): boolean;
  idleMs(): number;
  /** Takes no further jobs, and ends when the last one is answered. */
  retire(): void;
  /** Asks for a sign of life; ends it where none came for too long. */
  beat(): void;
  /** Ends it at once, and everything in flight with it. */
  end(reason?: EndReason, detail?: string, culprit?: RunningJob): void;
}

interface RunOptions {
  /** The job's input as JSON: its size was measured. */
  readonly input: string;
  readonly limitMs: number;
  readonly cold: boolean;
  readonly depth: number;
}

interface Needs {
  readonly process: ContainerProcess;
  readonly limits: ContainerLimits;
  /** Where a tunnelled connection of a job leads to. */
  readonly connect: Connect;
  /** Before the first job: what has run so far is the program alone. */
  readonly onStarted: () => Promise<void>;
  /** After an end that tenant code caused. */
  readonly onEnded: (reason: EndReason, detail: string, part: PartName | undefined) => void;
  readonly onLateWarning: (job: Job, warning: Warning) => void;
  /** A job is answered: there may be room. */
  readonly onRoom: () => void;
}

export function createContainer({ process: child, limits, connect, ...needs }: Needs): Container {
  const born = performance.now();
  const programs = new Set<string>();
  const { promise: ready, resolve: setReady } = Promise.withResolvers<boolean>();
  const { promise: gone, resolve: setGone } = Promise.withResolvers<void>();
  const jobs = createContainerJobs({ limits, onLateWarning: needs.onLateWarning, onSettled: settled });
  const connections = createTunnelConnections({ limits, connect, send, findJob: jobs.find });
  let isReady = false;
  let isRetired = false;
  let isEnded = false;
  let isOwned = false;
  let answered = 0;
  let held = 0;
  let lastUsed = born;
  let awaited: { readonly beat: string; readonly since: number } | undefined;
  let complaint = '';

  const starting = setTimeout(() => end('unresponsive', 'it did not start'), limits.startMs);
  child.once('error', (error) => exited(error.message));
  child.once('exit', (code, signal) => exited(signal ?? `exit code ${code}`));
  // Where it is gone, 'exit' says so.
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (piece: Buffer) => {
    complaint = (complaint + piece.toString()).slice(-2_000);
  });
  readLines(child.stdout, {
    longest: limits.lineBytes,
    onLine: (line) => {
      if (!isEnded) takeGuarded(line);
    },
    onTooLong: () => end('too_much_output', 'it wrote a line that is too long'),
  });

  function send(message: ToContainer): void {
    write(JSON.stringify(message));
  }

  function write(line: string): void {
    if (isEnded) return;
    child.stdin.write(`${line}\n`);
    if (child.stdin.writableLength > limits.unreadBytes) end('unresponsive', 'it does not read');
  }

  function takeGuarded(line: string): void {
    try {
      take(line);
    } catch (cause) {
      if (!(cause instanceof Breach)) throw cause;
      end(cause.reason, cause.message, cause.culprit);
    }
  }

  function take(line: string): void {
    const message = readMessage(line);
    if (!message) throw new Breach('protocol', `it wrote what is no message: ${line.slice(0, 80)}`);
    if (message.type === 'ready') {
      if (isReady) throw new Breach('protocol', 'it was ready twice');
      isReady = true;
      clearTimeout(starting);
      void needs.onStarted().then(() => setReady(!isEnded));
    } else if (message.type === 'pong') {
      if (awaited?.beat !== message.beat) throw new Breach('protocol', 'it answered a heartbeat that nobody sent');
      awaited = undefined;
    } else if (message.type === 'open') connections.open(message);
    else if ('bytes' in message || message.type === 'opened' || message.type === 'end' || message.type === 'closed')
      connections.receive(message);
    else jobs.receive(message, line.length);
  }

  function settled(): void {
    answered++;
    lastUsed = performance.now();
    if (isRetired) endIfDone();
    needs.onRoom();
  }

  function endIfDone(): void {
    if (jobs.size() + held === 0) end();
  }

  function exited(detail: string): void {
    // Runtimes explain themselves first: what follows are stacks and advice.
    const said = /^.*(?:memory|panicked|error).*$/im.exec(complaint)?.[0] ?? complaint.trim().split('\n')[0];
    end('exited', said ? `${detail}: ${said.slice(0, 200)}` : detail);
    setGone();
  }

  function end(reason?: EndReason, detail = '', culprit?: RunningJob): void {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(starting);
    setReady(false);
    child.kill('SIGKILL');
    child.stdin.destroy();
    connections.closeAll();
    const part = jobs.failAll(reason, culprit);
    if (reason && isOwned) needs.onEnded(reason, detail, part);
  }

  return {
    pid: child.pid,
    ready,
    gone,
    bind(targets, opener) {
      isOwned = true;
      send({ type: 'bind', targets, opener });
    },
    run(job, { input, limitMs, ...how }) {
      if (isEnded) return undefined;
      const running = createRunningJob(job, how, limits);
      jobs.add(running);
      const { hash, parts, modules = {} } = job.program;
      if (!programs.has(hash)) send({ type: 'program', hash, parts, modules });
      programs.add(hash);
      const { hosts = [] } = job.tunnel ?? {};
      const head = JSON.stringify({ type: 'run', id: running.id, kind: job.kind, hash, hosts, limitMs });
      write(`${head.slice(0, -1)},"input":${input}}`);
      const deadline = setTimeout(() => end('timeout', `no answer within ${limitMs} ms`, running), limitMs);
      void running.outcome.then(() => clearTimeout(deadline));
      return running.outcome;
    },
    answered: () => answered,
    load: () => jobs.size() + held,
    hold() {
      held++;
      return () => {
        held--;
        lastUsed = performance.now();
        if (isRetired) endIfDone();
      };
    },
    isOpen() {
      const isSilent = awaited !== undefined && performance.now() - awaited.since > limits.heartbeatMs / 2;
      return !isEnded && !isRetired && !isSilent && !child.stdin.writableNeedDrain;
    },
    isWorn: () =>
      answered >= limits.maxJobs || programs.size >= limits.maxPrograms || performance.now() - born > limits.maxAgeMs,
    isEnded: () => isEnded,
    idleMs: () => (jobs.size() + held > 0 ? 0 : performance.now() - lastUsed),
    retire() {
      isRetired = true;
      endIfDone();
    },
    beat() {
      const now = performance.now();
      jobs.forgetLate(now);
      if (!isReady || isEnded) return;
      if (!awaited) {
        awaited = { beat: randomBytes(16).toString('hex'), since: now };
        send({ type: 'ping', beat: awaited.beat });
      } else if (jobs.size() === 0 && now - awaited.since > limits.silenceMs)
        end('unresponsive', 'code that was left behind keeps it busy');
    },
    end,
  };
}
