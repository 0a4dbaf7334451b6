import type { Containers, Failure, Tunnel } from '../containers/job.ts';
import { placeDetails } from '../containers/syntax/syntax-fault.ts';
import { digest } from '../kit/digest.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import type { Hook, HookSecrets, HookTrigger } from './hook.ts';
import type { HookStore } from './hook-store.ts';

export type HookOutcome =
  | { readonly ok: true; readonly hook: Hook; readonly answer: unknown }
  | { readonly ok: false; readonly hook: Hook; readonly failure: Failure };

interface Parts {
  readonly containers: Pick<Containers, 'execute'>;
  readonly cache: Pick<TenantCache, 'get'>;
  readonly hooks: Pick<HookStore, 'enabledOf'>;
  readonly apiOf: (tenant: Tenant) => { readonly tunnel: Tunnel };
  readonly recordAlone: RecordEvent;
}

export type HookRunner = ReturnType<typeof createHookRunner>;

/** The hook that is enabled for a trigger, from memory, run where rules run. */
export function createHookRunner({ containers, cache, hooks, apiOf, recordAlone }: Parts) {
  const enabled = (tenantId: string, triggerId: HookTrigger) =>
    cache.get(tenantId, `hook at ${triggerId}`, () => hooks.enabledOf(tenantId, triggerId));

  return {
    async isUsed(tenantId: string, triggerId: HookTrigger): Promise<boolean> {
      return (await enabled(tenantId, triggerId)) !== undefined;
    },

    /** Undefined where none is enabled. `given`: the arguments before the callback, the context last. `about`: whose flow it is, for a warning. */
    async run(
      tenant: Tenant,
      triggerId: HookTrigger,
      given: readonly unknown[],
      about: Omit<AuditEvent, 'type'>,
    ): Promise<HookOutcome | undefined> {
      const hook = await enabled(tenant.tenantId, triggerId);
      if (!hook) return undefined;
      const outcome = await containers.execute({
        tenantId: tenant.tenantId,
        pool: 'scripts',
        kind: 'hook',
        program: programOf(hook),
        input: { arguments: given, secrets: hook.secrets },
        tunnel: apiOf(tenant).tunnel,
      });
      for (const { kind, text } of outcome.warnings)
        await recordAlone(tenant.tenantId, {
          ...about,
          type: 'loginWarned',
          description: text,
          details: { warning: kind, trigger_id: triggerId, hook: { id: hook.id, name: hook.name } },
        });
      if (!outcome.ok) return { ok: false, hook, failure: outcome.failure };
      const { result } = outcome;
      const answer = typeof result === 'object' && result !== null && 'answer' in result ? result.answer : undefined;
      return { ok: true, hook, answer };
    },
  };
}

/** For the log. */
export function hookFailure({ id, name }: Hook, { kind, logged }: Failure) {
  return { id, name, failure: kind, error: logged?.message, ...placeDetails(logged?.place) };
}

/** Code that reads a secret while it is loaded is loaded anew with another one. */
function programOf({ id, name, script, dependencies, secrets }: Hook & { readonly secrets: HookSecrets }) {
  const hash = digest(JSON.stringify(['hook', id, name, script, dependencies, secrets]));
  return { hash, parts: [{ id, name, code: script, modules: dependencies }] };
}
