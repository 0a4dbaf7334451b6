import { randomUUID } from 'node:crypto';
import { type Json, objectOf, objectsOf, textOf } from '../../kit/json-values.ts';
import { bodyFault, checkCount, checkLength } from '../../management/body-limits.ts';
import { type Action, actionErrors, LONGEST_NAME, MOST_ACTIONS_OF_TRIGGER } from '../action.ts';
import type { ActionStore } from '../action-store.ts';
import { readSecrets } from '../secrets.ts';
import { isTriggerBound } from '../triggers.ts';
import type { VersionStore } from '../versions/version-store.ts';
import type { Binding } from './binding-store.ts';

interface Stores {
  readonly actions: ActionStore;
  readonly actionVersions: VersionStore;
}

interface Asked {
  readonly triggerId: string;
  readonly bindings: unknown;
  readonly current: readonly Binding[];
  readonly now: Date;
}

/** The list that a trigger is to have. An action that stays keeps the id of its binding. */
export async function readBindings(stores: Stores, tenantId: string, asked: Asked): Promise<Binding[]> {
  const { triggerId, current, now } = asked;
  const list = objectsOf(asked.bindings);
  checkCount('bindings', list, MOST_ACTIONS_OF_TRIGGER);
  if (list.length > 0 && !isTriggerBound(triggerId))
    throw bodyFault(`Actions can not be bound to the trigger ${triggerId}`, 'bindings');
  const bindings: Binding[] = [];
  for (const [index, item] of list.entries()) {
    const place = `bindings[${index}]`;
    const action = await actionOf(stores, tenantId, objectOf(item.ref), current);
    if (!action) throw bodyFault('There is no such action', `${place}.ref`);
    await checkBindable(stores, tenantId, action, triggerId, place);
    if (bindings.some(({ actionId }) => actionId === action.id))
      throw bodyFault('An action is bound once to a trigger', place);
    const displayName = textOf(item.display_name) ?? action.name;
    checkLength(`${place}.display_name`, displayName, LONGEST_NAME);
    const known = current.find(({ actionId }) => actionId === action.id);
    bindings.push({
      id: known?.id ?? randomUUID(),
      triggerId,
      actionId: action.id,
      displayName,
      secrets: item.secrets === undefined ? [] : readSecrets(item.secrets, known?.secrets ?? [], now),
      createdAt: known?.createdAt ?? now,
      updatedAt: now,
    });
  }
  return bindings;
}

async function actionOf(
  { actions }: Stores,
  tenantId: string,
  { type, value }: Json,
  current: readonly Binding[],
): Promise<Action | undefined> {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (type === 'action_name') return actions.findByName(tenantId, text);
  if (type === 'action_id') return actions.find(tenantId, text);
  const binding = current.find(({ id }) => id === text);
  return binding && actions.find(tenantId, binding.actionId);
}

/** What runs is the deployed version: it is what has to fit the trigger. */
async function checkBindable(
  { actionVersions }: Stores,
  tenantId: string,
  { id, name, deployedVersionId }: Action,
  triggerId: string,
  place: string,
): Promise<void> {
  const version = deployedVersionId && (await actionVersions.find(tenantId, id, deployedVersionId));
  if (!version) throw actionErrors.notDeployed({ name });
  if (!version.source.triggers.some((trigger) => trigger.id === triggerId))
    throw bodyFault(`The action ${name} does not support the trigger ${triggerId}`, place);
}
