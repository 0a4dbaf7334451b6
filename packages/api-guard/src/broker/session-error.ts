export type SessionErrorCode =
  /** Wrong user name or password. */
  | 'wrong_credentials'
  | 'mfa_required'
  /** The user may not log in. */
  | 'blocked'
  /** Code of the tenant refused; the message is its own words, meant for the user. */
  | 'refused'
  | 'too_many_attempts'
  /** The access token is of no session that this broker keeps: never was, logged out, over, forged. */
  | 'unknown_session'
  /** The server refused to go on: revoked, expired, its user blocked. A new login is needed. */
  | 'session_ended'
  /** The server or the cache can't be asked now. The session is as it was. */
  | 'away'
  /** The broker's own settings are not what the server wants. */
  | 'configuration';

/** For the operator: with what users are not told, as the address that does not answer. */
export function detailOf(error: unknown): string {
  if (error instanceof SessionError && error.cause instanceof Error) return error.cause.message;
  return error instanceof Error ? error.message : String(error);
}

const STATUS: Readonly<Record<SessionErrorCode, number>> = {
  wrong_credentials: 401,
  mfa_required: 403,
  blocked: 403,
  refused: 403,
  too_many_attempts: 429,
  unknown_session: 401,
  session_ended: 401,
  away: 503,
  configuration: 500,
};

/** What a user may be told: message and code never hold a token, a password or a secret. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: SessionErrorCode;
  /** The HTTP status that fits. */
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: SessionErrorCode,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { readonly retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = STATUS[code];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
