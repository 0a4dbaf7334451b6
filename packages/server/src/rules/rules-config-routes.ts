import { textOf } from '../kit/json-values.ts';
import { checkLength } from '../management/body-limits.ts';
import type { Management } from '../management/call.ts';
import { CONFIG_KEY, LONGEST_VALUE, rulesConfigErrors } from './rules-config.ts';
import type { RulesConfigStore } from './rules-config-store.ts';

interface Stores {
  readonly rulesConfigs: RulesConfigStore;
}

/** /rules-configs of the Management API: values go in, and only their names come out. */
export function rulesConfigRoutes<Inside extends Stores>(management: Management<Inside>): void {
  management.route('GET /rules-configs', async (call) => {
    const keys = await call.stores.rulesConfigs.keys(call.tenant.tenantId);
    return keys.map((key) => ({ key }));
  });

  management.route('PUT /rules-configs/{key}', async (call) => {
    const key = call.params.key ?? '';
    const value = textOf(call.body.value) ?? '';
    if (!CONFIG_KEY.test(key)) throw rulesConfigErrors.malformedKey({ key });
    checkLength('value', value, LONGEST_VALUE);
    return call.commit(async ({ rulesConfigs }) => {
      await rulesConfigs.set(call.tenant.tenantId, key, value);
      return { key, value };
    });
  });

  management.route('DELETE /rules-configs/{key}', async (call) =>
    call.commit(({ rulesConfigs }) => rulesConfigs.remove(call.tenant.tenantId, call.params.key ?? '')),
  );
}
