import { prefixedId } from '../kit/ids.ts';
import { flagOf, type Json, numberOf, textOf } from '../kit/json-values.ts';
import { bodyFault, checkLength } from '../management/body-limits.ts';
import type { Management } from '../management/call.ts';
import { LONGEST_SCRIPT, type Rule, ruleErrors, STAGE } from './rule.ts';
import type { RuleStore } from './rule-store.ts';

interface Stores {
  readonly rules: RuleStore;
}

const LONGEST_NAME = 1_000;
/** Far below where a number has no next one. */
const LAST_ORDER = 1_000_000_000;

/** /rules of the Management API. */
export function ruleRoutes<Inside extends Stores>(management: Management<Inside>): void {
  management.route('GET /rules', async (call) => {
    const { tenantId } = call.tenant;
    const isEnabled = flagOf(call.query.enabled);
    return call.list('rules', {
      page: (offset, limit) => call.stores.rules.window(tenantId, isEnabled, offset, limit),
      count: () => call.stores.rules.count(tenantId, isEnabled),
      toWire,
    });
  });

  management.route('POST /rules', async (call) => {
    const { name = '', script = '', order, isEnabled = true } = readChange(call.body);
    const rule = { id: prefixedId('rul'), name, script, order, isEnabled };
    return call.commit(async ({ rules }) => toWire(await rules.insert(call.tenant.tenantId, rule)));
  });

  management.route('GET /rules/{id}', async (call) => {
    const rule = await call.stores.rules.find(call.tenant.tenantId, call.params.id ?? '');
    if (!rule) throw ruleErrors.notFound();
    return toWire(rule);
  });

  management.route('PATCH /rules/{id}', async (call) => {
    const change = readChange(call.body);
    return call.commit(async ({ rules }) => {
      const rule = await rules.update(call.tenant.tenantId, call.params.id ?? '', change);
      if (!rule) throw ruleErrors.notFound();
      return toWire(rule);
    });
  });

  management.route('DELETE /rules/{id}', async (call) =>
    call.commit(({ rules }) => rules.remove(call.tenant.tenantId, call.params.id ?? '')),
  );
}

function readChange(body: Json) {
  const name = textOf(body.name);
  const script = textOf(body.script);
  const order = numberOf(body.order);
  const isEnabled = flagOf(body.enabled);
  if (body.stage !== undefined && body.stage !== STAGE) throw bodyFault(`No enum match for: ${body.stage}`, 'stage');
  if (order !== undefined && order > LAST_ORDER)
    throw bodyFault(`Value ${order} is greater than maximum ${LAST_ORDER}`, 'order');
  checkLength('name', name, LONGEST_NAME);
  checkLength('script', script, LONGEST_SCRIPT);
  return {
    ...(name !== undefined && { name }),
    ...(script !== undefined && { script }),
    ...(order !== undefined && { order }),
    ...(isEnabled !== undefined && { isEnabled }),
  };
}

function toWire({ id, name, script, order, isEnabled }: Rule): Json {
  return { id, enabled: isEnabled, script, name, order, stage: STAGE };
}
