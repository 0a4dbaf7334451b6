import type { Containers, Failure, Outcome } from '../../containers/job.ts';
import { createMask } from '../../containers/mask-values.ts';
import { keptLines } from '../../executions/kept-console.ts';
import { standInApi, type TriedCall } from '../../executions/stand-in-api.ts';
import { type Json, objectOf } from '../../kit/json-values.ts';
import type { RunnableAction } from '../deployed-actions.ts';
import { type ActionCommand, readCommands, readReports } from './action-commands.ts';
import { actionJob } from './action-job.ts';
import { SAMPLE_EVENT } from './sample-event.ts';

export interface ActionTrial extends Pick<RunnableAction, 'name' | 'code' | 'secrets' | 'dependencies'> {
  readonly triggerId: string;
  /** Members that differ from those of a sample login. */
  readonly event: Json;
}

/** What an action did, for its author. */
export interface TriedAction extends Pick<Outcome, 'console' | 'warnings' | 'tookMs'> {
  readonly failure: Failure | undefined;
  /** What it asked for, in order; nothing where it failed. */
  readonly commands: readonly Pick<ActionCommand, 'name' | 'arguments'>[];
  /** The command that ends the flow with an error. */
  readonly refusal: string | undefined;
  readonly calls: readonly TriedCall[];
}

const REFUSING: ReadonlySet<string> = new Set(['access.deny', 'access.rejectInvalidSubjectToken', 'validation.error']);

/** Runs one action as its trigger would, in a container, without a server. */
export async function tryLocally(containers: Pick<Containers, 'execute'>, trial: ActionTrial): Promise<TriedAction> {
  const { triggerId, event: given, ...code } = trial;
  const event = { ...SAMPLE_EVENT, ...given };
  const api = standInApi(objectOf(event.user));
  const action = { ...code, id: '1', versionId: undefined, hash: '', runtime: '', modules: [] };
  const job = actionJob('dev', triggerId, [action], { event, domain: api.auth0.domain, canRedirect: true });
  const outcome = await containers.execute({ ...job, tunnel: api.tunnel });
  const [report] = outcome.ok ? readReports(outcome.result, new Date()) : [];
  const failure = outcome.ok ? report?.error && { kind: 'threw' as const, error: report.error } : outcome.failure;
  const commands = outcome.ok && !failure ? readCommands(outcome.result) : [];
  return {
    failure,
    commands: commands.map(({ name, arguments: values }) => ({ name, arguments: values })),
    refusal: commands.find(({ name }) => REFUSING.has(name))?.name,
    calls: api.calls,
    console: keptLines(outcome.console, createMask(job)),
    warnings: outcome.warnings,
    tookMs: outcome.tookMs,
  };
}
