import { randomBytes } from 'node:crypto';
import { cleanJson } from './clean-json.ts';
import type { ContainerEvent, FailureKind, Job, Outcome, PartName, Warning } from './job.ts';
import type { ContainerProcess } from './launcher.ts';
import type { ContainerLimits } from './limits.ts';
import type { FromContainer, ToContainer } from './protocol.ts';
import { readLines } from './read-lines.ts';
import { readMessage } from './read-message.ts';
import { createRunningJob, type RunningJob } from './running-job.ts';
import { type Connect, createTunnelConnections } from './tunnel-connections.ts';

export type EndReason = Extract<ContainerEvent, { type: 'container_ended' }>['reason'];

/** One process with tenant code. It belongs to one tenant from `bind` to its end. */
export interface Container {
  readonly pid: number | undefined;
  /** True once it has said that it is ready; false where it ended before. */
  readonly ready: Promise<boolean>;
  /** Gives it to a tenant. */
  bind(targets: readonly string[]): void;
  run(job: Job, options: RunOptions): Promise<Outcome>;
  /** Jobs that it has not answered. */
  load(): number;
  /** Whether it takes further jobs: not where it is old, ending, or has not answered a heartbeat. */
  isOpen(): boolean;
  idleMs(): number;
  /** Takes no further jobs, and ends when the last one is answered. */
  retire(): void;
  /** Asks for a sign of life; ends it where none came for too long. */
  beat(): void;
  /** Ends it at once, and everything in flight with it. */
  end(reason?: EndReason, detail?: string, culprit?: RunningJob): void;
  readonly gone: Promise<void>;
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
  /** After an end that tenant code caused. */
  readonly onEnded: (reason: EndReason, detail: string, part: PartName | undefined) => void;
  readonly onLateWarning: (job: Job, warning: Warning) => void;
  /** A job is answered, or the process is gone: there may be room. */
  readonly onRoom: () => void;
}

export function createContainer({ process: child, limits, connect, onEnded, onLateWarning, onRoom }: Needs): Container {
  const born = performance.now();
  const jobs = new Map<string, RunningJob>();
  /** Jobs that were answered a moment ago: what their code says afterwards is no forgery. */
  const late = new Map<string, { readonly running: RunningJob; readonly until: number }>();
  const programs = new Set<string>();
  const { promise: ready, resolve: setReady } = Promise.withResolvers<boolean>();
  const { promise: gone, resolve: setGone } = Promise.withResolvers<void>();
  let isReady = false;
  let isRetired = false;
  let isEnded = false;
  let isOwned = false;
  let answered = 0;
  let lastUsed = born;
  let awaited: { readonly beat: string; readonly since: number } | undefined;
  let complaint = '';
  const connections = createTunnelConnections({
    limits,
    connect,
    send,
    // Work that was left behind after a callback may still call.
    findJob: (id) => jobs.get(id) ?? late.get(id)?.running,
    onForged: (detail) => end('protocol', detail),
  });

  const starting = setTimeout(() => end('unresponsive', 'it did not start'), limits.startMs);
  child.once('error', (error) => exited(error.message));
  child.once('exit', (code, signal) => exited(signal ?? `exit code ${code}`));
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (piece: Buffer) => {
    complaint = (complaint + piece.toString()).slice(-2_000);
  });
  readLines(child.stdout, {
    longest: limits.lineBytes,
    onLine: (line) => {
      if (!isEnded) take(readMessage(line), line);
    },
    onTooLong: () => end('too_much_output', 'a line is too long'),
  });

  function send(message: ToContainer): void {
    write(JSON.stringify(message));
  }

  function write(line: string): void {
    if (isEnded) return;
    child.stdin.write(`${line}\n`);
    if (child.stdin.writableLength > limits.unreadBytes) end('unresponsive', 'it does not read');
  }

  function take(message: FromContainer | undefined, line: string): void {
    if (!message) return end('protocol', `a line that is no message: ${line.slice(0, 80)}`);
    if (message.type === 'ready') return become();
    if (message.type === 'pong') return pong(message.beat);
    if (message.type === 'open') return connections.open(message);
    if (!isAboutJob(message)) return connections.receive(message);
    const running = jobs.get(message.id);
    if (!running) return takeLate(message);
    if (isSettling(message)) return settle(running, message, line.length);
    if (!running.spend(message.type === 'at' ? '' : message.text))
      return end('too_much_output', 'what it writes to the console', running);
    if (message.type === 'at') running.part = message.part;
    else if (message.type === 'console') running.takeConsole(message.level, message.text);
    else running.takeWarning(message);
  }

  /** The program says this once, before tenant code runs. */
  function become(): void {
    if (isReady) return end('protocol', 'ready for the second time');
    isReady = true;
    clearTimeout(starting);
    setReady(true);
  }

  function pong(beat: string): void {
    if (awaited?.beat !== beat) return end('protocol', 'a heartbeat that nobody asked for');
    awaited = undefined;
  }

  function takeLate(message: FromContainer): void {
    const known = 'id' in message ? late.get(message.id) : undefined;
    if (message.type !== 'warning' || !known) return end('protocol', 'a job that it does not have');
    if (!known.running.spend(message.text)) return end('too_much_output', 'warnings', known.running);
    onLateWarning(known.running.job, message);
  }

  function settle(running: RunningJob, message: Settling, length: number): void {
    jobs.delete(running.id);
    late.set(running.id, { running, until: performance.now() + limits.jobMs + limits.heartbeatMs });
    answered++;
    lastUsed = performance.now();
    if (message.type === 'oversized' || length > limits.resultBytes + 1_000) running.fail({ kind: 'too_much_output' });
    else if (message.type === 'failed')
      running.fail({ kind: 'threw', error: message.error, ...(message.part && { part: message.part }) });
    else {
      const clean = cleanJson(message.result);
      if (clean) running.succeed(clean.value);
      else running.fail({ kind: 'too_much_output' });
    }
    if (isRetired && jobs.size === 0) end();
    onRoom();
  }

  function exited(detail: string): void {
    if (!isEnded) {
      const said = complaint.trim().split('\n').at(-1) ?? '';
      end('exited', said ? `${detail}: ${said}` : detail);
    }
    setGone();
    onRoom();
  }

  function end(reason?: EndReason, detail = '', culprit?: RunningJob): void {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(starting);
    setReady(false);
    child.kill('SIGKILL');
    child.stdin.destroy();
    connections.closeAll();
    const [only] = jobs.size === 1 ? jobs.values() : [];
    for (const running of jobs.values()) running.fail({ kind: kindOf(reason, running === culprit) });
    jobs.clear();
    if (reason && isOwned) onEnded(reason, detail, (culprit ?? only)?.part);
  }

  return {
    pid: child.pid,
    ready,
    gone,
    bind(targets) {
      isOwned = true;
      send({ type: 'bind', targets });
    },
    run(job, { input, limitMs, ...how }) {
      const running = createRunningJob(job, how, limits);
      if (isEnded) {
        running.fail({ kind: 'recycled' });
        return running.outcome;
      }
      jobs.set(running.id, running);
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
    load: () => jobs.size,
    isOpen() {
      const isSilent = awaited !== undefined && performance.now() - awaited.since > limits.heartbeatMs / 2;
      const isWorn = answered >= limits.maxJobs || programs.size >= limits.maxPrograms;
      const isOld = performance.now() - born > limits.maxAgeMs;
      return !isEnded && !isRetired && !isSilent && !isWorn && !isOld && !child.stdin.writableNeedDrain;
    },
    idleMs: () => (jobs.size > 0 ? 0 : performance.now() - lastUsed),
    retire() {
      isRetired = true;
      if (jobs.size === 0) end();
    },
    beat() {
      const now = performance.now();
      for (const [id, { until }] of late) if (until < now) late.delete(id);
      if (!isReady || isEnded) return;
      if (!awaited) {
        awaited = { beat: randomBytes(16).toString('hex'), since: now };
        send({ type: 'ping', beat: awaited.beat });
      } else if (jobs.size === 0 && now - awaited.since > limits.silenceMs)
        end('unresponsive', 'code that was left behind keeps it busy');
    },
    end,
  };
}

type JobMessage = Extract<FromContainer, { type: 'result' | 'failed' | 'oversized' | 'at' | 'console' | 'warning' }>;
type Settling = Extract<FromContainer, { type: 'result' | 'failed' | 'oversized' }>;

const ABOUT_JOBS: readonly string[] = ['result', 'failed', 'oversized', 'at', 'console', 'warning'];

function isSettling(message: JobMessage): message is Settling {
  return message.type === 'result' || message.type === 'failed' || message.type === 'oversized';
}

function isAboutJob(message: FromContainer): message is JobMessage {
  return ABOUT_JOBS.includes(message.type);
}

/** What a job is told whose container was ended. */
function kindOf(reason: EndReason | undefined, isCulprit: boolean): FailureKind {
  if (isCulprit && reason === 'timeout') return 'timeout';
  if (isCulprit && reason === 'too_much_output') return 'too_much_output';
  return reason === 'exited' || reason === 'protocol' || reason === 'memory' ? 'crashed' : 'recycled';
}
