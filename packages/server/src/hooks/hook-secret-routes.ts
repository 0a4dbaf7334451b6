import { textOf, textsOf } from '../kit/json-values.ts';
import { bodyFault, checkCount, checkLength } from '../management/body-limits.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { type HookSecrets, hookErrors, LONGEST_SECRET, LONGEST_SECRET_NAME, MOST_SECRETS } from './hook.ts';
import type { HookStore } from './hook-store.ts';

interface Stores {
  readonly hooks: HookStore;
}

const HIDDEN = '_VALUE_NOT_SHOWN_';
const MOST_NAMES = 100;

/** /hooks/{id}/secrets of the Management API: values go in, and only their names come out. */
export function hookSecretRoutes<Inside extends Stores>(management: Management<Inside>): void {
  management.route('GET /hooks/{id}/secrets', async (call) => {
    const names = await call.stores.hooks.secretNames(call.tenant.tenantId, call.params.id ?? '');
    if (!names) throw hookErrors.notFound();
    return Object.fromEntries(names.map((name) => [name, HIDDEN]));
  });

  management.route('POST /hooks/{id}/secrets', async (call) => {
    const added = readSecrets(call);
    return change(call, (secrets) => {
      const taken = Object.keys(added).find((name) => Object.hasOwn(secrets, name));
      if (taken !== undefined) throw hookErrors.secretTaken({ name: taken });
      return { ...secrets, ...added };
    });
  });

  management.route('PATCH /hooks/{id}/secrets', async (call) => {
    const changed = readSecrets(call);
    return change(call, (secrets) => {
      const unknown = Object.keys(changed).find((name) => !Object.hasOwn(secrets, name));
      if (unknown !== undefined) throw hookErrors.noSecret({ name: unknown });
      return { ...secrets, ...changed };
    });
  });

  management.route('DELETE /hooks/{id}/secrets', async (call) => {
    const names = new Set(textsOf(call.bodyList));
    checkCount('', call.bodyList, MOST_NAMES);
    return change(call, (secrets) => Object.fromEntries(Object.entries(secrets).filter(([name]) => !names.has(name))));
  });
}

function readSecrets({ body }: Pick<ManagementCall<Stores>, 'body'>): HookSecrets {
  const secrets = Object.entries(body).map(([name, value]) => [name, textOf(value) ?? ''] as const);
  for (const [name, value] of secrets) {
    if (name === '') throw bodyFault('The name of a secret is missing');
    checkLength('', name, LONGEST_SECRET_NAME);
    checkLength(name, value, LONGEST_SECRET);
  }
  return Object.fromEntries(secrets);
}

function change<Inside extends Stores>(
  call: ManagementCall<Inside>,
  work: (secrets: HookSecrets) => HookSecrets,
): Promise<Record<string, never>> {
  return call.commit(async ({ hooks }) => {
    const isThere = await hooks.changeSecrets(call.tenant.tenantId, call.params.id ?? '', (secrets) => {
      const changed = work(secrets);
      if (Object.keys(changed).length > MOST_SECRETS)
        throw hookErrors.tooMany({ limit: MOST_SECRETS, things: 'secrets of a hook' });
      return changed;
    });
    if (!isThere) throw hookErrors.notFound();
    return {};
  });
}
