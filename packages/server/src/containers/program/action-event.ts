import type { Command } from './action-api.ts';

type Members = Record<string, unknown>;

/** What an action asked for and those after it find in their own `event`. */
export function tellLater(event: unknown, commands: readonly Command[]): void {
  if (!isMembers(event)) return;
  for (const { name, arguments: given } of commands) {
    const [first, second] = given;
    if (name === 'user.setUserMetadata') set(event, ['user', 'user_metadata'], first, second);
    else if (name === 'user.setAppMetadata') set(event, ['user', 'app_metadata'], first, second);
    else if (name === 'transaction.setMetadata') set(event, ['transaction', 'metadata'], first, second);
    else if (name === 'session.setMetadata') set(event, ['session', 'metadata'], first, second);
    else if (name === 'session.deleteMetadata') set(event, ['session', 'metadata'], first, null);
    else if (name === 'session.evictMetadata' && isMembers(event.session)) event.session.metadata = {};
    else if (name === 'refreshToken.setMetadata') set(event, ['refresh_token', 'metadata'], first, second);
    else if (name === 'refreshToken.deleteMetadata') set(event, ['refresh_token', 'metadata'], first, null);
    else if (name === 'refreshToken.evictMetadata' && isMembers(event.refresh_token)) event.refresh_token.metadata = {};
    else if (name === 'accessToken.setCustomClaim') set(event, ['accessToken', 'customClaims'], first, second);
    else if (name.endsWith('TargetScope') || name.endsWith('TargetScopes')) setScopes(event, name, first);
  }
}

/** Where the trigger's event has the object at all. */
function set(event: Members, [parent, child]: readonly [string, string], key: unknown, value: unknown): void {
  const holder = event[parent];
  if (!isMembers(holder) || typeof key !== 'string') return;
  const object = new Map(Object.entries(isMembers(holder[child]) ? holder[child] : {}));
  if (value === null || value === undefined) object.delete(key);
  else object.set(key, value);
  holder[child] = Object.fromEntries(object);
}

function setScopes(event: Members, name: string, given: unknown): void {
  const { transaction } = event;
  if (!isMembers(transaction)) return;
  const before = Array.isArray(transaction.target_scopes) ? transaction.target_scopes : [];
  if (name === 'transaction.clearTargetScopes') transaction.target_scopes = [];
  else if (name === 'transaction.setTargetScopes') transaction.target_scopes = Array.isArray(given) ? given : [];
  else {
    const without = before.filter((scope) => scope !== given);
    transaction.target_scopes = name === 'transaction.addTargetScope' ? [...without, given] : without;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
