/** Nobody could say whether a token is good: 503, never a refusal. The message names nothing that was sent. */
export class AwayError extends Error {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds = 2) {
    super(message);
    this.retryAfterSeconds = Math.min(120, Math.max(1, Math.ceil(retryAfterSeconds)));
  }
}
