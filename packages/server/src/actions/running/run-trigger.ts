import type { Containers, Failure, Outcome, Tunnel, Warning } from '../../containers/job.ts';
import { createMask } from '../../containers/mask-values.ts';
import type { Transact } from '../../db/transact.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { RunnableAction } from '../deployed-actions.ts';
import type { ActionExecution, ExecutionResult } from '../executions/execution.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import { type ActionCommand, type ActionReport, readCommands, readReports } from './action-commands.ts';
import { type ActionInput, actionJob } from './action-job.ts';

export interface TriggerRun {
  readonly tenant: Tenant;
  readonly triggerId: string;
  readonly actions: readonly RunnableAction[];
  readonly input: ActionInput;
  /** Whose flow it is, for the event of a failure. */
  readonly about: Omit<AuditEvent, 'type'>;
}

export interface TriggerOutcome {
  /** Where the Management API tells what the actions did. */
  readonly executionId: string;
  /** What they asked for; nothing where one of them failed. */
  readonly commands: readonly ActionCommand[];
  readonly failure: Failure | undefined;
  /** What actions say to a caller, as the log may have it. */
  readonly withoutSecrets: (text: string) => string;
}

interface Stores {
  readonly actionExecutions: Pick<ExecutionStore, 'keep'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly containers: Pick<Containers, 'execute'>;
  readonly apiOf: (tenant: Tenant) => { readonly domain: string; readonly tunnel: Tunnel };
  readonly transact: Transact<Stores>;
  /** Outside of a transaction: most executions have nothing to say but that they were. */
  readonly keep: ExecutionStore['keep'];
  readonly now: () => Date;
}

export type RunTrigger = (run: TriggerRun) => Promise<TriggerOutcome>;

/** What Auth0 keeps of an action's console. */
const CONSOLE_KEPT = 256;
const ENDS = new Set([
  ...['access.deny', 'access.rejectInvalidSubjectToken', 'validation.error'],
  ...['session.revoke', 'refreshToken.revoke'],
]);

/** Runs the actions of a trigger and keeps what they did. It never throws for what they did. */
export function createTriggerRunner({ containers, apiOf, transact, keep, now }: Parts): RunTrigger {
  return async function runTrigger({ tenant, triggerId, actions, input, about }) {
    const { tenantId } = tenant;
    const createdAt = now();
    const { domain, tunnel } = apiOf(tenant);
    const job = actionJob(tenantId, triggerId, actions, { domain, ...input });
    const outcome = await containers.execute({ ...job, tunnel });
    const ended = readOutcome(outcome, actions, input.from ?? 0, { createdAt, endedAt: now() });
    const read = ended.failure ? withoutSecrets(ended, createMask(job)) : ended;
    const execution: ActionExecution = {
      id: outcome.executionId,
      triggerId,
      status: statusOf(read),
      results: read.results,
      createdAt,
      updatedAt: now(),
    };
    const events = [
      ...(read.failure ? [failureEvent(about, execution, read.failure, outcome)] : []),
      ...outcome.warnings.map((warning) => warningEvent(about, execution, warning)),
    ];
    if (events.length === 0) await keep(tenantId, execution);
    else
      await transact(async (stores) => {
        await stores.actionExecutions.keep(tenantId, execution);
        for (const event of events) await stores.record(tenantId, event);
      });
    return {
      executionId: execution.id,
      commands: read.commands,
      failure: read.failure,
      withoutSecrets: (text) => createMask(job)(text),
    };
  };
}

interface Read {
  readonly commands: readonly ActionCommand[];
  readonly results: readonly ExecutionResult[];
  readonly failure: Failure | undefined;
}

/** What an action threw is for the log: an answer to the application is in `api.access.deny` alone. */
function withoutSecrets({ failure, results, ...read }: Read, mask: (text: string) => string): Read {
  const { error } = failure ?? {};
  return {
    ...read,
    results: results.map((result) =>
      result.error ? { ...result, error: { ...result.error, message: mask(result.error.message) } } : result,
    ),
    failure:
      failure && error
        ? {
            ...failure,
            error: { ...error, message: mask(error.message), ...(error.stack && { stack: mask(error.stack) }) },
          }
        : failure,
  };
}

function readOutcome(
  outcome: Outcome,
  actions: readonly RunnableAction[],
  first: number,
  times: { readonly createdAt: Date; readonly endedAt: Date },
): Read {
  if (!outcome.ok) return { commands: [], ...failedAt(outcome.failure, actions, first, times) };
  const reports = readReports(outcome.result, times.endedAt).slice(0, actions.length - first);
  const results = reports.map((report, index) => resultOf(report, actions[first + index]));
  const failed = reports.findIndex(({ error }) => error !== undefined);
  const error = reports[failed]?.error;
  if (!error) return { commands: readCommands(outcome.result), results, failure: undefined };
  const action = actions[first + failed];
  return {
    commands: [],
    results,
    failure: { kind: 'threw', error, ...(action && { part: { id: action.id, name: action.name } }) },
  };
}

/** Nothing came back: all that is known is which action it was. */
function failedAt(
  failure: Failure,
  actions: readonly RunnableAction[],
  first: number,
  { createdAt, endedAt }: { readonly createdAt: Date; readonly endedAt: Date },
): Pick<Read, 'results' | 'failure'> {
  const culprit = actions.findIndex(({ id }, index) => index >= first && id === failure.part?.id);
  const ran = culprit < 0 ? actions.slice(first, first + 1) : actions.slice(first, culprit + 1);
  const results = ran.map(({ name }, index) => ({
    actionName: name,
    startedAt: createdAt.toISOString(),
    endedAt: endedAt.toISOString(),
    ...(index === ran.length - 1 && { error: { id: failure.kind, message: failure.error?.message ?? failure.kind } }),
  }));
  return { results, failure };
}

function resultOf({ startedAt, endedAt, error }: ActionReport, action: RunnableAction | undefined): ExecutionResult {
  return {
    actionName: action?.name ?? '',
    startedAt,
    endedAt,
    ...(error && { error: { id: error.name, message: error.message } }),
  };
}

function statusOf({ failure, commands }: Read): ActionExecution['status'] {
  if (failure || commands.some(({ name }) => ENDS.has(name))) return 'partial';
  const isLeft = commands.some(
    ({ name }) => name === 'redirect.sendUserTo' || /^authentication\.(?:challenge|enroll)/.test(name),
  );
  return isLeft ? 'suspended' : 'final';
}

/** Something that went well and should not be relied on: `api` after the end of its action. */
function warningEvent(
  about: Omit<AuditEvent, 'type'>,
  { id, triggerId }: ActionExecution,
  { kind, text, part }: Warning,
): AuditEvent {
  return {
    ...about,
    type: 'loginWarned',
    description: text,
    details: { warning: kind, trigger_id: triggerId, execution_id: id, ...(part && { action: part }) },
  };
}

function failureEvent(
  about: Omit<AuditEvent, 'type'>,
  { id, triggerId }: ActionExecution,
  { kind, part, error }: Failure,
  { console }: Outcome,
): AuditEvent {
  const said = console
    .filter((line) => !part || line.part?.id === part.id)
    .map(({ text }) => text)
    .join('\n')
    .slice(0, CONSOLE_KEPT);
  return {
    ...about,
    type: 'actionExecutionFailed',
    description: error?.message
      ? `${part?.name ?? triggerId}: ${error.message}`
      : `${part?.name ?? triggerId}: ${kind}`,
    details: {
      execution_id: id,
      trigger_id: triggerId,
      ...(part && { action_id: part.id, action_name: part.name }),
      failure: kind,
      ...(error && { error: { name: error.name, message: error.message, ...(error.stack && { stack: error.stack }) } }),
      ...(said && { console: said }),
    },
  };
}
