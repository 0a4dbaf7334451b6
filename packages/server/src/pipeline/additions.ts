import { isDeepStrictEqual } from 'node:util';
import { toWire } from '../users/user-wire.ts';
import { bytesOf, customClaims, MOST_OWN_CLAIM_BYTES } from './custom-claims.ts';
import type { KnownFacts } from './login-facts.ts';
import type { Additions, Claims, Decisions } from './outcome.ts';

/** Members of the profile that tokens tell: what code changed of them is told in this login, and not kept. */
const TOLD = [
  'nickname',
  'name',
  'given_name',
  'family_name',
  'picture',
  'username',
  'email',
  'email_verified',
  'phone_number',
  'phone_verified',
] as const;

/** What the decisions of all stages come to for the tokens. Members that are empty are left out. */
export function additionsOf(
  facts: KnownFacts,
  decisions: Decisions,
): { readonly additions: Additions; readonly dropped: readonly string[]; readonly isTooLargeForOwnApi: boolean } {
  const isOwnApi = facts.target.api?.isSystem === true;
  const idToken = customClaims(decisions.idToken);
  const accessToken = customClaims(decisions.accessToken, { isOwnApi });
  const isTooLargeForOwnApi = isOwnApi && bytesOf(accessToken.claims) > MOST_OWN_CLAIM_BYTES;
  const { scopes, subject, userMetadata, appMetadata, session, refreshToken, executions } = decisions;
  return {
    additions: {
      ...(hasMembers(idToken.claims) && { idToken: idToken.claims }),
      ...(hasMembers(accessToken.claims) && !isTooLargeForOwnApi && { accessToken: accessToken.claims }),
      ...changedProfile(facts, decisions),
      ...(scopes && { scopes }),
      ...(subject !== undefined && subject !== facts.user.userId && { subject }),
      ...(userMetadata && { userMetadata }),
      ...(appMetadata && { appMetadata }),
      ...(session && { session }),
      ...(refreshToken && { refreshToken }),
      ...(executions && { executions }),
    },
    dropped: [...new Set([...idToken.dropped, ...accessToken.dropped])],
    isTooLargeForOwnApi,
  };
}

function changedProfile({ user }: KnownFacts, { user: changed }: Decisions): { profile?: Claims } {
  const before = toWire(user);
  const profile: Record<string, unknown> = {};
  for (const name of TOLD) {
    const value = changed[name] ?? null;
    if (!isDeepStrictEqual(value, before[name] ?? null) && isTellable(name, value)) profile[name] = value;
  }
  return hasMembers(profile) ? { profile } : {};
}

/** A claim that applications rely on keeps its type, whatever code made of it. Null: it is told no more. */
function isTellable(name: string, value: unknown): boolean {
  return value === null || typeof value === (name.endsWith('_verified') ? 'boolean' : 'string');
}

function hasMembers(object: object): boolean {
  return Object.keys(object).length > 0;
}
