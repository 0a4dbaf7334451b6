import { type LogOutcome, type LogType, type LogTypeEntry, logTypes } from '../logs/log-types.ts';

/** `success` or `failure`; undefined where the event is no login. */
export function loginOutcomeOf(type: LogType): LogOutcome | undefined {
  const { category, outcome } = entryOf(type);
  return category === 'login' && !NO_LOGIN.has(type) ? outcome : undefined;
}

/** The grant that a token was asked for with; undefined where the event is no exchange. */
export function grantOf(type: LogType): string | undefined {
  if (entryOf(type).category !== 'token_exchange' || type === 'refreshTokenRevoked') return undefined;
  return GRANTS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'other';
}

export function outcomeOf(type: LogType): LogOutcome {
  return entryOf(type).outcome;
}

const entryOf = (type: LogType): LogTypeEntry => logTypes[type];

const NO_LOGIN: ReadonlySet<LogType> = new Set<LogType>(['corsOriginRejected', 'credentialsValidated']);

const GRANTS: readonly (readonly [prefix: string, grant: string])[] = [
  ['codeExchange', 'authorization_code'],
  ['clientCredentialsExchange', 'client_credentials'],
  ['passwordExchange', 'password'],
  ['refresh', 'refresh_token'],
  ['deviceCodeExchange', 'device_code'],
  ['customTokenExchange', 'token_exchange'],
];
