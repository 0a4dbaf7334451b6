import type { AuditEvent } from './event.ts';

/** What an event tells of a refusal besides the words that the caller hears: members for its `details`. */
export type Explanation = Readonly<Record<string, unknown>>;
/** Whom the refusal is about. */
export type About = Pick<
  AuditEvent,
  'userId' | 'userName' | 'connection' | 'connectionId' | 'strategy' | 'strategyType'
>;

const explanations = new WeakMap<Error, Explanation>();
const abouts = new WeakMap<Error, About>();

/** For the tenant's log alone: nothing that renders errors looks here. */
export function explained<Thrown extends Error>(error: Thrown, explanation: Explanation): Thrown {
  explanations.set(error, explanation);
  return error;
}

export function explanationOf(error: Error): Explanation {
  return explanations.get(error) ?? {};
}

const descriptions = new WeakMap<Error, string>();

/** The log's own words for it, where those for the caller may say what no log should. */
export function describedAs<Thrown extends Error>(error: Thrown, description: string): Thrown {
  descriptions.set(error, description);
  return error;
}

export function descriptionOf(error: Error): string {
  return descriptions.get(error) ?? error.message;
}

export function about<Thrown extends Error>(error: Thrown, who: About): Thrown {
  abouts.set(error, who);
  return error;
}

export function aboutOf(error: Error): About {
  return abouts.get(error) ?? {};
}
