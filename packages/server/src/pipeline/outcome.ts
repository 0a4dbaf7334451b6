import type { DeclaredError } from '../kit/errors.ts';
import type { RefreshTokenWishes } from '../oauth/refresh/refresh-token.ts';
import type { SessionWishes } from '../sessions/session.ts';
import type { Metadata } from '../users/user.ts';
import type { KnownFacts } from './login-facts.ts';

/** What rules and actions make of a login. */
export type PipelineOutcome =
  | { readonly kind: 'granted'; readonly additions: Additions }
  /** The error says what the caller may know; its event tells the rest (logs/explain-error.ts). */
  | { readonly kind: 'denied'; readonly error: DeclaredError }
  /** The browser goes to `url`, to which a `state` is added, and comes back to /continue. */
  | { readonly kind: 'redirect'; readonly url: string; readonly suspended: Suspended }
  /** Nothing is issued before the user has given one. */
  | { readonly kind: 'secondFactorRequired'; readonly demand: FactorDemand; readonly executions?: Executions };

/** Scopes in place of those that were granted, or what is added to them and taken from them. */
export type ScopeChange =
  | readonly string[]
  | { readonly added: readonly string[]; readonly removed: readonly string[] };

export type Claims = Readonly<Record<string, unknown>>;

/** What the flow adds to its answer, in its own transaction. JSON: it may have to wait for the user's consent. */
export interface Additions extends ClaimAdditions {
  /** `primaryUser`: whose tokens these are, where it is not the user who logged in. The identity that was used is theirs. */
  readonly subject?: string;
  /** What an action wants of the browser's session. */
  readonly session?: SessionWishes;
  /** Changes that actions have made to the user's metadata: they are kept already. */
  readonly userMetadata?: Metadata;
  readonly appMetadata?: Metadata;
}

/** What is kept with the token grant: codes that are redeemed, opaque tokens and /userinfo tell it later. */
export interface ClaimAdditions {
  readonly idToken?: Claims;
  readonly accessToken?: Claims;
  /** Never more than the API has (oauth/access/replace-scopes.ts). */
  readonly scopes?: ScopeChange;
  /** Claims about the user that rules changed for this login, by the names of the profile. */
  readonly profile?: Claims;
  /** For the refresh token that is issued by this login, or follows the one that is exchanged. */
  readonly refreshToken?: RefreshTokenWishes;
  /** Who acts for the user (RFC 8693 section 4.1): the claim `act`. */
  readonly actor?: Claims;
  readonly executions?: Executions;
}

/** What ran for a login: the log names it, so that what it printed is found. */
export interface Executions {
  readonly rules?: readonly string[];
  readonly actions?: readonly string[];
}

export const NOTHING_ADDED: Additions = {};

/** What stages have decided so far. JSON, since a redirect lies between two of them. */
export interface Decisions {
  /** The profile as rules see it: changes are for those that follow, and for the tokens of this login. */
  readonly user: Readonly<Record<string, unknown>>;
  readonly idToken: Claims;
  readonly accessToken: Claims;
  readonly scopes?: ScopeChange;
  readonly subject?: string;
  readonly factor?: FactorDemand;
  /** Ids of the rules that ran. */
  readonly rules: readonly string[];
  readonly session?: SessionWishes;
  readonly refreshToken?: RefreshTokenWishes;
  readonly userMetadata?: Metadata;
  readonly appMetadata?: Metadata;
  readonly executions?: Executions;
}

/** `provider` is never `none`. */
export interface FactorDemand {
  readonly provider: string;
  readonly allowRememberBrowser: boolean;
}

/** A pipeline that waits for its browser: what the next run needs, as JSON. */
export interface Suspended {
  readonly stage: 'rules' | 'actions';
  readonly decisions: Decisions;
  /** What the stage itself wants to find again. */
  readonly memory: Readonly<Record<string, unknown>>;
}

/** What is left undone while the browser is elsewhere. */
export type Redirect = Extract<PipelineOutcome, { kind: 'redirect' }>;

/** Rules are one, post-login actions the other. */
export interface Stage {
  readonly name: Suspended['stage'];
  /** Whether the tenant has anything here: from memory, without a query. */
  isUsed(tenantId: string): Promise<boolean>;
  /** `memory` is set where this very stage was left and goes on. */
  run(facts: KnownFacts, before: Decisions, memory: Suspended['memory'] | undefined): Promise<StageOutcome>;
}

export type StageOutcome =
  | { readonly kind: 'decided'; readonly decisions: Decisions }
  | Extract<PipelineOutcome, { kind: 'denied' | 'redirect' }>;
