import type { Json } from '../../kit/json-values.ts';
import type { Management } from '../../management/call.ts';
import { MOST_ACTIONS_OF_TRIGGER } from '../action.ts';
import type { ActionStore } from '../action-store.ts';
import type { ActionsToWire } from '../action-wire.ts';
import { pageToWire, readPage } from '../read-page.ts';
import { triggersToWire } from '../triggers.ts';
import type { VersionStore } from '../versions/version-store.ts';
import type { Binding, BindingStore } from './binding-store.ts';
import { readBindings } from './read-bindings.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionVersions: VersionStore;
  readonly actionBindings: BindingStore;
}

interface Parts {
  readonly actionsToWire: ActionsToWire;
  readonly now: () => Date;
}

/** /actions/triggers of the Management API, and which actions run at each of them. */
export function bindingRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { actionsToWire, now }: Parts,
): void {
  async function toWire(stores: Stores, tenantId: string, bindings: readonly Binding[]): Promise<Json[]> {
    const actions = await stores.actions.findAll(
      tenantId,
      bindings.map(({ actionId }) => actionId),
    );
    const wires = new Map((await actionsToWire.all(stores, tenantId, actions)).map((wire) => [wire.id, wire]));
    return bindings.map((binding) => ({
      id: binding.id,
      trigger_id: binding.triggerId,
      display_name: binding.displayName,
      action: wires.get(binding.actionId),
      created_at: binding.createdAt.toISOString(),
      updated_at: binding.updatedAt.toISOString(),
    }));
  }

  management.route('GET /actions/triggers', async () => ({ triggers: triggersToWire() }));

  management.route('GET /actions/triggers/{trigger_id}/bindings', async (call) => {
    const { tenantId } = call.tenant;
    const triggerId = call.params.trigger_id ?? '';
    const page = readPage(call.query);
    const { actionBindings } = call.stores;
    const found = await actionBindings.window(tenantId, triggerId, page.offset, page.size);
    const total = await actionBindings.count(tenantId, triggerId);
    return { bindings: await toWire(call.stores, tenantId, found), ...pageToWire(page, total) };
  });

  management.route('PATCH /actions/triggers/{trigger_id}/bindings', async (call) => {
    const { tenantId } = call.tenant;
    const triggerId = call.params.trigger_id ?? '';
    return call.commit(async (stores) => {
      await stores.actions.lock(tenantId);
      const current = await stores.actionBindings.window(tenantId, triggerId, 0, MOST_ACTIONS_OF_TRIGGER);
      if (call.body.bindings === undefined) return { bindings: await toWire(stores, tenantId, current) };
      const asked = { triggerId, bindings: call.body.bindings, current, now: now() };
      const bindings = await readBindings(stores, tenantId, asked);
      await stores.actionBindings.replace(tenantId, triggerId, bindings);
      return { bindings: await toWire(stores, tenantId, bindings) };
    });
  });
}
