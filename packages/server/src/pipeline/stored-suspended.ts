import { isObject, type Json } from '../kit/json-values.ts';
import type { Decisions, Suspended } from './outcome.ts';

/** Raised where the same JSON comes to mean something else: for an upgrade's time servers of two versions share the database. */
const VERSION = 1;

/** A pipeline that waits for its browser, as it is stored. */
export function storedSuspended(suspended: Suspended): string {
  return JSON.stringify({ version: VERSION, ...suspended });
}

/** Undefined where another version of the server left something that this one can't go on with. */
export function readSuspended(stored: unknown): Suspended | undefined {
  if (!isObject(stored)) return undefined;
  // Those from before versions were counted look like the first one.
  const { version = 1, stage, decisions, memory } = stored;
  if (version !== VERSION || (stage !== 'rules' && stage !== 'actions')) return undefined;
  return isDecisions(decisions) && isObject(memory) ? { stage, decisions, memory } : undefined;
}

function isDecisions(value: unknown): value is Decisions {
  if (!isObject(value)) return false;
  const { user, idToken, accessToken, rules, scopes, subject, factor, session, refreshToken } = value;
  return (
    [user, idToken, accessToken].every(isObject) &&
    [value.userMetadata ?? {}, value.appMetadata ?? {}, factor ?? {}, session ?? {}, refreshToken ?? {}].every(
      isObject,
    ) &&
    Array.isArray(rules) &&
    isScopeChange(scopes) &&
    (subject === undefined || typeof subject === 'string')
  );
}

function isScopeChange(scopes: unknown): boolean {
  if (scopes === undefined || Array.isArray(scopes)) return true;
  const { added, removed }: Json = isObject(scopes) ? scopes : {};
  return Array.isArray(added) && Array.isArray(removed);
}
