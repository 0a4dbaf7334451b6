import { type Json, objectOf, textOf } from '../../../kit/json-values.ts';
import type { Decisions, FactorDemand, ScopeChange } from '../../../pipeline/outcome.ts';
import { isStorable } from '../../../users/metadata.ts';
import type { Metadata } from '../../../users/user.ts';
import type { ActionCommand } from '../action-commands.ts';

/** What the actions of a login asked for, put together. */
export interface PostLogin {
  readonly decisions: Decisions;
  /** The actions' own; rules may have demanded one before. */
  readonly factor: FactorDemand | undefined;
  readonly denial: string | undefined;
  /** What has to come before the next action: a page elsewhere. */
  readonly redirect: { readonly url: string; readonly action: number } | undefined;
  /** Changes: null deletes. */
  readonly userMetadata: Metadata;
  readonly appMetadata: Metadata;
  readonly transactionMetadata: Json;
  /** Changes: null deletes. */
  readonly sessionMetadata: Metadata;
  /** What the session had noted before goes. */
  readonly empties: boolean;
  readonly revokesSession: boolean;
  /** Of the session that is revoked: refresh tokens stay good. */
  readonly preservesTokens: boolean;
  readonly revokesRefreshToken: boolean;
  /** Whom the tokens are for, as often as an action said so. */
  readonly subjects: readonly string[];
  /** Commands that do nothing here. */
  readonly ignored: readonly string[];
}

const LONGEST_METADATA_KEY = 64;
const LONGEST_METADATA_VALUE = 8_192;
const MOST_METADATA = 16_384;
const LONGEST_SUBJECT = 128;
const LONGEST_NOTE = 255;
/** Auth0's own words where an action gives none. */
const DENIED = 'Access denied.';

export function putTogether(
  commands: readonly ActionCommand[],
  before: Decisions,
  transactionMetadata: Json,
): PostLogin {
  const nothing: PostLogin = {
    decisions: before,
    factor: undefined,
    denial: undefined,
    redirect: undefined,
    userMetadata: {},
    appMetadata: {},
    transactionMetadata,
    sessionMetadata: {},
    empties: false,
    revokesSession: false,
    preservesTokens: false,
    revokesRefreshToken: false,
    subjects: [],
    ignored: [],
  };
  return commands.reduce(apply, nothing);
}

function apply(login: PostLogin, { name, action, arguments: given }: ActionCommand): PostLogin {
  const { decisions } = login;
  const [first, second] = given;
  const text = textOf(first);
  if (name === 'access.deny') return { ...login, denial: text?.trim() || DENIED };
  if (name === 'validation.error') return { ...login, denial: textOf(second)?.trim() || DENIED };
  if (name === 'multifactor.enable') return { ...login, factor: factorOf(text, objectOf(second)) };
  if (/^authentication\.(?:challenge|enroll)/.test(name))
    return { ...login, factor: { provider: 'any', allowRememberBrowser: false } };
  if (name === 'session.revoke') {
    const preservesTokens = objectOf(second).preserveRefreshTokens === true;
    return { ...login, revokesSession: true, preservesTokens, denial: text?.trim() || DENIED };
  }
  if (name === 'session.evictMetadata') return { ...login, sessionMetadata: {}, empties: true };
  if (name === 'refreshToken.revoke') return { ...login, revokesRefreshToken: true, denial: text?.trim() || DENIED };
  if (text === undefined || text === '') return { ...login, ignored: [...login.ignored, name] };
  if (name === 'redirect.sendUserTo') return { ...login, redirect: { url: text, action } };
  if (name === 'idToken.setCustomClaim') return decided(login, { idToken: changed(decisions.idToken, text, second) });
  if (name === 'accessToken.setCustomClaim')
    return decided(login, { accessToken: changed(decisions.accessToken, text, second) });
  if (name === 'accessToken.addScope') return decided(login, { scopes: withScope(decisions.scopes, text, true) });
  if (name === 'accessToken.removeScope') return decided(login, { scopes: withScope(decisions.scopes, text, false) });
  if (name === 'authentication.setPrimaryUser')
    return { ...login, subjects: [...login.subjects, text.slice(0, LONGEST_SUBJECT)] };
  if (name === 'user.setUserMetadata')
    return { ...login, userMetadata: { ...login.userMetadata, [text]: second ?? null } };
  if (name === 'user.setAppMetadata')
    return { ...login, appMetadata: { ...login.appMetadata, [text]: second ?? null } };
  if (name === 'session.setMetadata' || name === 'session.deleteMetadata')
    return {
      ...login,
      sessionMetadata: noted(login.sessionMetadata, text, name === 'session.setMetadata' ? second : null),
    };
  if (name === 'transaction.setMetadata')
    return { ...login, transactionMetadata: bounded(login.transactionMetadata, text, second) };
  return { ...login, ignored: [...login.ignored, name] };
}

function decided(login: PostLogin, change: Partial<Decisions>): PostLogin {
  return { ...login, decisions: { ...login.decisions, ...change } };
}

function changed(claims: Json, name: string, value: unknown): Json {
  const others = Object.entries(claims).filter(([claim]) => claim !== name);
  return Object.fromEntries(value === null || value === undefined ? others : [...others, [name, value]]);
}

function withScope(before: ScopeChange = { added: [], removed: [] }, scope: string, isAdded: boolean): ScopeChange {
  if (!('added' in before)) {
    const others = before.filter((one) => one !== scope);
    return isAdded ? [...others, scope] : others;
  }
  const added = before.added.filter((one) => one !== scope);
  const removed = before.removed.filter((one) => one !== scope);
  return isAdded ? { added: [...added, scope], removed } : { added, removed: [...removed, scope] };
}

/** Whatever an action enables is a demand, unless it says that it demands none. */
function factorOf(provider: string | undefined, { allowRememberBrowser }: Json): FactorDemand | undefined {
  if (provider === 'none') return undefined;
  return { provider: provider?.slice(0, 64) ?? 'any', allowRememberBrowser: allowRememberBrowser === true };
}

/** Texts, as in the Management API. */
function noted(metadata: Metadata, key: string, value: unknown): Metadata {
  const isFitting = value === null || (typeof value === 'string' && value.length <= LONGEST_NOTE);
  return isFitting && key.length <= LONGEST_NOTE && isStorable([key, value]) ? { ...metadata, [key]: value } : metadata;
}

/** It waits with the login while the user is elsewhere. What does not fit stays as it was. */
function bounded(metadata: Json, key: string, value: unknown): Json {
  const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  if (!isPlain || key.length > LONGEST_METADATA_KEY || String(value).length > LONGEST_METADATA_VALUE) return metadata;
  const after = changed(metadata, key, value);
  return JSON.stringify(after).length > MOST_METADATA ? metadata : after;
}
