import { type Json, objectOf, oneOf, textOf } from '../../../kit/json-values.ts';
import type { Decisions, FactorDemand, ScopeChange } from '../../../pipeline/outcome.ts';
import type { Metadata } from '../../../users/user.ts';
import type { ActionCommand } from '../action-commands.ts';
import { noteInTransaction } from '../transaction-part.ts';
import { earlierOf, isNote, noted } from './wishes.ts';

/** What the actions of a login asked for, put together. */
export interface PostLogin {
  readonly decisions: Decisions;
  /** The actions' own; rules may have demanded one before. */
  readonly factor: FactorDemand | undefined;
  readonly denial: Denial | undefined;
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
  readonly ignored: readonly ActionCommand[];
}

export interface Denial {
  readonly reason: string;
  /** Index of the action. */
  readonly action: number;
}

const LONGEST_SUBJECT = 128;
/** Auth0's own words where an action gives none. */
const DENIED = 'Access denied.';
const COOKIE_MODES = ['persistent', 'non-persistent'] as const;

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
  return commands.reduce((login, command) => apply(login, command) ?? withIgnored(login, command), nothing);
}

function withIgnored(login: PostLogin, command: ActionCommand): PostLogin {
  return { ...login, ignored: [...login.ignored, command] };
}

/** Undefined: it has no effect. */
function apply(login: PostLogin, command: ActionCommand): PostLogin | undefined {
  const { name, action, arguments: given } = command;
  const [first, second] = given;
  const text = textOf(first);
  if (name === 'access.deny') return { ...login, denial: { action, reason: text?.trim() || DENIED } };
  if (name === 'validation.error') return { ...login, denial: { action, reason: textOf(second)?.trim() || DENIED } };
  if (name === 'multifactor.enable') return { ...login, factor: factorOf(text, objectOf(second)) };
  if (/^authentication\.(?:challenge|enroll)/.test(name))
    return { ...login, factor: { provider: 'any', allowRememberBrowser: false } };
  if (name.startsWith('session.')) return applyToSession(login, command);
  if (name.startsWith('refreshToken.')) return applyToRefreshToken(login, command);
  return text === undefined || text === '' ? undefined : applyNamed(login, command, text);
}

function applyToSession(
  login: PostLogin,
  { name, action, arguments: [first, second] }: ActionCommand,
): PostLogin | undefined {
  const { session = {} } = login.decisions;
  switch (name) {
    case 'session.revoke': {
      const preservesTokens = objectOf(second).preserveRefreshTokens === true;
      const denial = { action, reason: textOf(first)?.trim() || DENIED };
      return { ...login, revokesSession: true, preservesTokens, denial };
    }
    case 'session.setExpiresAt': {
      const expiresAt = earlierOf(session.expiresAt, first);
      return expiresAt === undefined ? undefined : decided(login, { session: { ...session, expiresAt } });
    }
    case 'session.setIdleExpiresAt': {
      const idleExpiresAt = earlierOf(session.idleExpiresAt, first);
      return idleExpiresAt === undefined ? undefined : decided(login, { session: { ...session, idleExpiresAt } });
    }
    case 'session.setCookieMode': {
      const mode = oneOf(COOKIE_MODES, first);
      return mode && decided(login, { session: { ...session, isPersistent: mode === 'persistent' } });
    }
    case 'session.evictMetadata':
      return { ...login, sessionMetadata: {}, empties: true };
    case 'session.setMetadata':
    case 'session.deleteMetadata': {
      const value = name === 'session.setMetadata' ? second : null;
      if (!isNote(first, value)) return undefined;
      return { ...login, sessionMetadata: { ...login.sessionMetadata, [first]: value } };
    }
    default:
      return undefined;
  }
}

function applyToRefreshToken(
  login: PostLogin,
  { name, action, arguments: [first, second] }: ActionCommand,
): PostLogin | undefined {
  const { refreshToken = {} } = login.decisions;
  switch (name) {
    case 'refreshToken.revoke':
      return {
        ...login,
        revokesRefreshToken: true,
        denial: { action, reason: textOf(first)?.trim() || DENIED },
      };
    case 'refreshToken.setExpiresAt': {
      const expiresAt = earlierOf(refreshToken.expiresAt, first);
      return expiresAt === undefined ? undefined : decided(login, { refreshToken: { ...refreshToken, expiresAt } });
    }
    case 'refreshToken.setIdleExpiresAt': {
      const idleExpiresAt = earlierOf(refreshToken.idleExpiresAt, first);
      if (idleExpiresAt === undefined) return undefined;
      return decided(login, { refreshToken: { ...refreshToken, idleExpiresAt } });
    }
    case 'refreshToken.evictMetadata': {
      const metadata = { empties: true, removed: [], set: {} };
      return decided(login, { refreshToken: { ...refreshToken, metadata } });
    }
    case 'refreshToken.setMetadata':
    case 'refreshToken.deleteMetadata': {
      const value = name === 'refreshToken.setMetadata' ? second : null;
      if (!isNote(first, value)) return undefined;
      const metadata = noted(refreshToken.metadata, first, value);
      return metadata && decided(login, { refreshToken: { ...refreshToken, metadata } });
    }
    default:
      return undefined;
  }
}

function applyNamed(
  login: PostLogin,
  { name, action, arguments: given }: ActionCommand,
  text: string,
): PostLogin | undefined {
  const { decisions } = login;
  const [, second] = given;
  switch (name) {
    case 'redirect.sendUserTo':
      return { ...login, redirect: { url: text, action } };
    case 'idToken.setCustomClaim':
      return decided(login, { idToken: changed(decisions.idToken, text, second) });
    case 'accessToken.setCustomClaim':
      return decided(login, { accessToken: changed(decisions.accessToken, text, second) });
    case 'accessToken.addScope':
      return decided(login, { scopes: withScope(decisions.scopes, text, true) });
    case 'accessToken.removeScope':
      return decided(login, { scopes: withScope(decisions.scopes, text, false) });
    case 'authentication.setPrimaryUser':
      return { ...login, subjects: [...login.subjects, text.slice(0, LONGEST_SUBJECT)] };
    case 'user.setUserMetadata':
      return { ...login, userMetadata: { ...login.userMetadata, [text]: second ?? null } };
    case 'user.setAppMetadata':
      return { ...login, appMetadata: { ...login.appMetadata, [text]: second ?? null } };
    case 'transaction.setMetadata':
      return { ...login, transactionMetadata: noteInTransaction(login.transactionMetadata, text, second) };
    default:
      return undefined;
  }
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
