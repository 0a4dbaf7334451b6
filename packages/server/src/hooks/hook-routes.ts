import { hexId } from '../kit/ids.ts';
import { flagOf, isObject, type Json, oneOf, textOf } from '../kit/json-values.ts';
import { bodyFault, checkLength } from '../management/body-limits.ts';
import type { Management } from '../management/call.ts';
import { HOOK_TRIGGERS, type Hook, hookErrors, LONGEST_SCRIPT, MOST_DEPENDENCIES } from './hook.ts';
import { hookSecretRoutes } from './hook-secret-routes.ts';
import type { HookStore } from './hook-store.ts';

interface Stores {
  readonly hooks: HookStore;
}

const LONGEST_NAME = 1_000;
const LONGEST_DEPENDENCY = 255;

/** /hooks of the Management API. */
export function hookRoutes<Inside extends Stores>(management: Management<Inside>): void {
  management.route('GET /hooks', async (call) => {
    const { tenantId } = call.tenant;
    const { enabled, triggerId, fields } = call.query;
    const filter = { isEnabled: flagOf(enabled), triggerId: textOf(triggerId) };
    const wire = namesOf(fields).includes('script') ? toWire : withoutScript;
    return call.list('hooks', {
      page: (offset, limit) => call.stores.hooks.window(tenantId, filter, offset, limit),
      count: () => call.stores.hooks.count(tenantId, filter),
      toWire: wire,
    });
  });

  management.route('POST /hooks', async (call) => {
    const { name = '', script = '', dependencies = {}, isEnabled = false } = readChange(call.body);
    const triggerId = oneOf(HOOK_TRIGGERS, call.body.triggerId) ?? 'credentials-exchange';
    const hook: Hook = { id: hexId(), name, triggerId, script, dependencies, isEnabled };
    return call.commit(async ({ hooks }) => {
      await hooks.insert(call.tenant.tenantId, hook);
      return toWire(hook);
    });
  });

  management.route('GET /hooks/{id}', async (call) => {
    const hook = await call.stores.hooks.find(call.tenant.tenantId, call.params.id ?? '');
    if (!hook) throw hookErrors.notFound();
    return toWire(hook);
  });

  management.route('PATCH /hooks/{id}', async (call) => {
    const change = readChange(call.body);
    return call.commit(async ({ hooks }) => {
      const hook = await hooks.update(call.tenant.tenantId, call.params.id ?? '', change);
      if (!hook) throw hookErrors.notFound();
      return toWire(hook);
    });
  });

  management.route('DELETE /hooks/{id}', async (call) =>
    call.commit(async ({ hooks }) => {
      if (!(await hooks.remove(call.tenant.tenantId, call.params.id ?? ''))) throw hookErrors.notFound();
    }),
  );

  hookSecretRoutes(management);
}

function readChange(body: Json) {
  const name = textOf(body.name);
  const script = textOf(body.script);
  const isEnabled = flagOf(body.enabled);
  checkLength('name', name, LONGEST_NAME);
  checkLength('script', script, LONGEST_SCRIPT);
  return {
    ...(name !== undefined && { name }),
    ...(script !== undefined && { script }),
    ...(isObject(body.dependencies) && { dependencies: readDependencies(body.dependencies) }),
    ...(isEnabled !== undefined && { isEnabled }),
  };
}

function readDependencies(given: Json): Readonly<Record<string, string>> {
  const entries = Object.entries(given).map(([name, version]) => [name, textOf(version) ?? ''] as const);
  if (entries.length > MOST_DEPENDENCIES)
    throw bodyFault(`Too many properties defined (${entries.length}), maximum ${MOST_DEPENDENCIES}`, 'dependencies');
  for (const [name, version] of entries) checkLength('dependencies', `${name}@${version}`, LONGEST_DEPENDENCY);
  return Object.fromEntries(entries);
}

function namesOf(fields: unknown): readonly string[] {
  return textOf(fields)?.split(',') ?? [];
}

function toWire({ id, name, triggerId, script, dependencies, isEnabled }: Hook): Json {
  return { id, name, script, dependencies, enabled: isEnabled, triggerId };
}

/** A list tells what hooks there are; their code comes one by one, or where `fields` names it. */
function withoutScript(hook: Hook): Json {
  const { script: _script, ...rest } = toWire(hook);
  return rest;
}
