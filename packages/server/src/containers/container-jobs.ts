import { Breach, type EndReason } from './breach.ts';
import { cleanJson } from './clean-json.ts';
import type { FailureKind, Job, Warning } from './job.ts';
import type { ContainerLimits } from './limits.ts';
import type { FromContainer } from './protocol.ts';
import type { RunningJob } from './running-job.ts';

type JobMessage = Extract<FromContainer, { type: 'result' | 'failed' | 'oversized' | 'at' | 'console' | 'warning' }>;
type Settling = Extract<FromContainer, { type: 'result' | 'failed' | 'oversized' }>;

interface Needs {
  readonly limits: ContainerLimits;
  readonly onLateWarning: (job: Job, warning: Warning) => void;
  readonly onSettled: () => void;
}

/** The jobs that one container has in flight, and what its lines say about them. */
export function createContainerJobs({ limits, onLateWarning, onSettled }: Needs) {
  const jobs = new Map<string, RunningJob>();
  /** Answered a moment ago: what their code says afterwards is no forgery. */
  const late = new Map<string, { readonly running: RunningJob; readonly until: number }>();

  /** `length` is that of its line. */
  function receive(message: JobMessage, length: number): void {
    const running = jobs.get(message.id);
    if (!running) receiveLate(message);
    else if (isSettling(message)) settle(running, message, length);
    else {
      if (!running.spend(message.type === 'at' ? '' : message.text))
        throw new Breach('too_much_output', 'it wrote too much to the console', running);
      if (message.type === 'at') running.part = message.part;
      else if (message.type === 'console') running.takeConsole(message.level, message.text);
      else running.takeWarning(warningOf(message));
    }
  }

  function receiveLate(message: JobMessage): void {
    const known = late.get(message.id);
    if (message.type !== 'warning' || !known) throw new Breach('protocol', 'it spoke of a job that it does not have');
    if (!known.running.spend(message.text)) throw new Breach('too_much_output', 'it warned too often', known.running);
    if (known.running.mayWarn()) onLateWarning(known.running.job, warningOf(message));
  }

  function settle(running: RunningJob, message: Settling, length: number): void {
    jobs.delete(running.id);
    late.set(running.id, { running, until: performance.now() + limits.jobMs + limits.heartbeatMs });
    const clean = message.type === 'result' && length <= limits.resultBytes ? cleanJson(message.result) : undefined;
    if (clean) running.succeed(clean.value);
    else if (message.type === 'failed')
      running.fail({ kind: 'threw', error: message.error, ...(message.part && { part: message.part }) });
    else running.fail({ kind: 'too_much_output' });
    onSettled();
  }

  return {
    receive,
    size: () => jobs.size,
    add: (running: RunningJob) => void jobs.set(running.id, running),
    /** Work that was left behind after a callback may still call. */
    find: (id: string) => jobs.get(id) ?? late.get(id)?.running,
    forgetLate(now: number): void {
      for (const [id, { until }] of late) if (until < now) late.delete(id);
    },
    /** All at once; answers which part is known to be at fault. */
    failAll(reason: EndReason | undefined, culprit: RunningJob | undefined) {
      const [only] = jobs.size === 1 ? jobs.values() : [];
      for (const running of jobs.values()) running.fail({ kind: kindOf(reason, running === culprit) });
      jobs.clear();
      return (culprit ?? only)?.part;
    },
  };
}

function warningOf({ kind, text, part }: Extract<JobMessage, { type: 'warning' }>): Warning {
  return { kind, text, ...(part && { part }) };
}

function isSettling(message: JobMessage): message is Settling {
  return message.type === 'result' || message.type === 'failed' || message.type === 'oversized';
}

/** What a job is told whose container was ended. */
function kindOf(reason: EndReason | undefined, isCulprit: boolean): FailureKind {
  if (isCulprit && reason === 'timeout') return 'timeout';
  if (isCulprit && reason === 'too_much_output') return 'too_much_output';
  return reason === 'exited' || reason === 'protocol' || reason === 'memory' ? 'crashed' : 'recycled';
}
