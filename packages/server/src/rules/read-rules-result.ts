import { isObject, type Json, objectOf, textOf, textsOf } from '../kit/json-values.ts';
import type { Decisions, FactorDemand } from '../pipeline/outcome.ts';

/** What rules decided, as far as it is anybody's business. */
export interface RulesResult {
  readonly user: Json;
  readonly idToken: Json;
  readonly accessToken: Json;
  readonly scopes: readonly string[] | undefined;
  readonly subject: string | undefined;
  readonly factor: FactorDemand | undefined;
  /** Where the user is to be sent to. */
  readonly redirect: string | undefined;
}

const MOST_SCOPES = 1_000;
const LONGEST_URL = 8_192;
const LONGEST_ID = 1_000;

/** Reads what came out of a container: these members, each as its type wants it, and nothing else. */
export function readRulesResult(result: unknown, before: Decisions): RulesResult {
  const { user, context } = objectOf(result);
  const { idToken, accessToken, multifactor, redirect, primaryUser } = objectOf(context);
  const { scope, ...claims } = objectOf(accessToken);
  return {
    user: isObject(user) ? user : before.user,
    idToken: objectOf(idToken),
    accessToken: claims,
    scopes: Array.isArray(scope) ? textsOf(scope).slice(0, MOST_SCOPES) : undefined,
    subject: within(primaryUser, LONGEST_ID),
    factor: factorOf(multifactor),
    redirect: within(objectOf(redirect).url, LONGEST_URL),
  };
}

/** Whatever a rule put there demands a factor, unless it says that it demands none. */
function factorOf(multifactor: unknown): FactorDemand | undefined {
  if (multifactor === undefined || multifactor === null || multifactor === false) return undefined;
  const { provider, allowRememberBrowser, ignoreCookie } = objectOf(multifactor);
  if (provider === 'none') return undefined;
  return {
    provider: textOf(provider)?.slice(0, 64) ?? 'any',
    allowRememberBrowser: allowRememberBrowser !== false && ignoreCookie !== true,
  };
}

function within(value: unknown, longest: number): string | undefined {
  const text = textOf(value);
  return text !== undefined && text !== '' && text.length <= longest ? text : undefined;
}
