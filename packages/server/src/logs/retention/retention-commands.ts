import type { ControlVerbs } from '../../control/control-server.ts';
import type { Transact } from '../../db/transact.ts';
import { defineErrors } from '../../kit/errors.ts';
import { tenantErrors } from '../../tenants/tenant.ts';
import type { TenantStore } from '../../tenants/tenant-store.ts';
import type { RecordEvent } from '../event.ts';
import { FEWEST_DAYS, MOST_DAYS } from './retention.ts';
import type { RetentionStore } from './retention-store.ts';

const retentionErrors = defineErrors({
  outOfBounds: {
    status: 400,
    code: 'invalid_retention',
    message: `'{days}' is no time to keep a log: use whole days from ${FEWEST_DAYS} to ${MOST_DAYS}, or default.`,
  },
});

interface Needs {
  readonly stores: { readonly tenants: Pick<TenantStore, 'directory'>; readonly logRetention: RetentionStore };
  readonly transact: Transact<{ readonly logRetention: RetentionStore; readonly record: RecordEvent }>;
  readonly forget: (tenantId: string) => void;
}

/** `gatewright logs retention`, as the running server carries it out. */
export function retentionCommands({ stores, transact, forget }: Needs): ControlVerbs {
  async function tenantOf(name: unknown): Promise<string> {
    const { tenantIds, defaultTenantId } = await stores.tenants.directory();
    const tenantId = name === undefined ? defaultTenantId : String(name);
    if (tenantId === undefined || !tenantIds.has(tenantId))
      throw tenantErrors.unknownTenant({ name: tenantId ?? 'default' });
    return tenantId;
  }

  async function show(tenantId: string) {
    const { days, isDefault } = await stores.logRetention.find(tenantId);
    return { tenant: tenantId, days, is_default: isDefault };
  }

  return {
    'logs-retention': async ({ tenant }) => show(await tenantOf(tenant)),

    'logs-set-retention': async ({ tenant, days: asked }) => {
      const tenantId = await tenantOf(tenant);
      const days = daysOf(asked);
      await transact(async ({ logRetention, record }) => {
        const before = await logRetention.find(tenantId);
        await logRetention.set(tenantId, days);
        const { days: after } = await logRetention.find(tenantId);
        // A log that is kept for a shorter time is a change that the log itself has to tell of.
        await record(tenantId, {
          type: 'managementChanged',
          description: `The operator keeps the log for ${after} days`,
          details: { log_retention: { days: after, before: before.days } },
        });
      });
      forget(tenantId);
      return show(tenantId);
    },
  };
}

function daysOf(value: unknown): number | null {
  if (value === 'default') return null;
  const text = String(value);
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < FEWEST_DAYS || days > MOST_DAYS)
    throw retentionErrors.outOfBounds({ days: text.slice(0, 20) });
  return days;
}
