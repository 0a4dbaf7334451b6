import type { Actor } from './call.ts';
import type { Operation } from './catalogue.ts';
import { managementErrors } from './management-errors.ts';

/** Refuses a token that has none of the operation's scopes. */
export function checkScopes(operation: Operation, actor: Actor): void {
  if (operation.scopes.some((scope) => actor.scopes.has(scope))) return;
  throw managementErrors.insufficientScope({ scopes: operation.scopes.join(',') });
}

/** Whether all that lets this token in are scopes about the token's own user. */
export function actsOnlyOnSelf(operation: Operation, actor: Actor): boolean {
  const held = operation.scopes.filter((scope) => actor.scopes.has(scope));
  return held.length > 0 && held.every(isAboutSelf);
}

/** An end user's token reaches no other user's record, and no client's token any by a scope that is meant for end users. */
export function checkSubject(operation: Operation, actor: Actor, params: Readonly<Record<string, string>>): void {
  if (!actsOnlyOnSelf(operation, actor)) return;
  const subject = subjectOf(operation, params);
  if (actor.userId === undefined || (subject !== undefined && subject !== actor.userId))
    throw managementErrors.otherUser();
}

/** What scopes for metadata let a token change of a user: mass assignment ends here. */
export function checkChangedFields(operation: Operation, actor: Actor, body: unknown): void {
  if (operation.name !== 'PATCH /users/{id}' || actor.scopes.has('update:users')) return;
  const allowed = new Set<string>();
  if (actor.scopes.has('update:current_user_metadata')) allowed.add('user_metadata');
  if (actor.scopes.has('update:users_app_metadata')) allowed.add('app_metadata').add('user_metadata');
  if (Object.keys(Object(body)).every((field) => allowed.has(field))) return;
  throw managementErrors.insufficientScope({ scopes: 'update:users' });
}

function isAboutSelf(scope: string): boolean {
  return scope.includes(':current_user');
}

function subjectOf(operation: Operation, params: Readonly<Record<string, string>>): string | undefined {
  const name = /^\/users\/\{(\w+)\}/.exec(operation.path)?.[1];
  return name === undefined ? undefined : params[name];
}
