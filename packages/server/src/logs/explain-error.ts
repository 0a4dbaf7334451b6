/** What an event tells of a refusal besides the words that the caller hears. */
export type Explanation = Readonly<Record<string, unknown>>;

const explanations = new WeakMap<Error, Explanation>();

/** For the tenant's log alone: nothing that renders errors looks here. */
export function explained<Thrown extends Error>(error: Thrown, explanation: Explanation): Thrown {
  explanations.set(error, explanation);
  return error;
}

/** Members for the `details` of the event; none where nothing was explained. */
export function explanationOf(error: Error): Explanation {
  return explanations.get(error) ?? {};
}
