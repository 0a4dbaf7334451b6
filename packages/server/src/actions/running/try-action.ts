import type { Containers, Tunnel } from '../../containers/job.ts';
import { isObject, type Json } from '../../kit/json-values.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { RunAction } from '../run-action.ts';
import { readCommands, readReports } from './action-commands.ts';
import { actionJob } from './action-job.ts';

interface Parts {
  readonly containers: Pick<Containers, 'execute'>;
  readonly apiOf: (tenant: Tenant) => { readonly domain: string; readonly tunnel: Tunnel };
  readonly now: () => Date;
}

/** Runs one action with an event of its author's making, and tells all that it did: nothing comes of it. */
export function createActionTrial({ containers, apiOf, now }: Parts): RunAction {
  return async function tryAction({ tenant, triggerId, action, event: given }): Promise<Json> {
    // Tools send the event as the payload's only member, others as the payload.
    const event = isObject(given.event) && Object.keys(given).length === 1 ? given.event : given;
    const { domain, tunnel } = apiOf(tenant);
    const job = actionJob(tenant.tenantId, triggerId, [action], { event, domain, canRedirect: true });
    const outcome = await containers.execute({ ...job, tunnel });
    const [report] = outcome.ok ? readReports(outcome.result, now()) : [];
    const error = outcome.ok ? report?.error : (outcome.failure.error ?? { name: outcome.failure.kind, message: '' });
    return {
      commands:
        outcome.ok && !error
          ? readCommands(outcome.result).map(({ name, arguments: values }) => ({ name, arguments: values }))
          : [],
      logs: outcome.console.map(({ level, text }) => ({ level, text })),
      ...(error && { error: { name: error.name, message: error.message, ...(error.stack && { stack: error.stack }) } }),
      stats: { runtime_execution_duration_ms: Math.round(outcome.tookMs) },
    };
  };
}
