import type { Failure } from '../../containers/job.ts';
import type { Explanation } from '../../logs/explain-error.ts';
import type { RunnableAction } from '../deployed-actions.ts';
import type { ActionCommand } from './action-commands.ts';

/** Member of an event's `details`: which action said no. */
export function namedAction(
  actions: readonly Pick<RunnableAction, 'id' | 'name'>[],
  { action }: Pick<ActionCommand, 'action'>,
): Explanation {
  const named = actions[action];
  return named ? { action: { id: named.id, name: named.name } } : {};
}

/** The same where it failed. */
export function failedAction({ kind, part }: Failure): Explanation {
  return part ? { action: { id: part.id, name: part.name, failure: kind } } : {};
}
