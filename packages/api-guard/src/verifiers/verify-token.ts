import type { Verdict } from '../entries/entry.ts';

/**
 * Asks whoever knows whether an access token is good now. Rejects with a ServiceAwayError where nobody could say: the guard
 * answers 503 then, never 401. The signal ends at the guard's deadline.
 */
export type VerifyToken = (accessToken: string, signal: AbortSignal) => Promise<Verdict>;

export class ServiceAwayError extends Error {
  readonly code = 'service_away';
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterSeconds?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
