/** What a login asked its user for. Kept as JSON with the login; its event tells them (log-record section 3). Times are milliseconds of the epoch. */
export interface Prompt {
  readonly name: 'prompt-authenticate' | 'prompt-signup' | 'consent' | 'redirect';
  readonly initiatedAt: number;
  /** None while the browser is there. */
  readonly completedAt?: number;
  /** Where the user proved who they are. */
  readonly proof?: Proof;
}

export interface Proof {
  readonly flow: 'universal-login' | 'cross-origin';
  readonly connection: string;
  readonly connectionId: string;
  readonly strategy: string;
  /** Id of the identity that was used, without its provider. */
  readonly identity?: string;
  /** This login included. */
  readonly loginsCount: number;
}

/** More would push the rest out of the event: code may send a browser to the same page again until its answer is right. */
const MOST_PROMPTS = 20;

/**
 * One more, to which the browser goes now. One that it has left without an answer is asked again, or another one is. The
 * first, which is where the user proved who they are, and the latest are kept.
 */
export function asked(prompts: readonly Prompt[], name: 'consent' | 'redirect', now: Date): readonly Prompt[] {
  const [first, ...others] = prompts.filter(({ completedAt }) => completedAt !== undefined);
  const kept = first ? [first, ...others.slice(2 - MOST_PROMPTS)] : [];
  return [...kept, { name, initiatedAt: now.getTime() }];
}

/** The browser is back from where it was. */
export function answered(prompts: readonly Prompt[], now: Date): readonly Prompt[] {
  return prompts.map((prompt) => ({ completedAt: now.getTime(), ...prompt }));
}
