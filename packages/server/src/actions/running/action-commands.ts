import type { ThrownError } from '../../containers/job.ts';
import { isObject, type Json, numberOf, objectOf, objectsOf, textOf } from '../../kit/json-values.ts';

/** Something that an action asked for. Tenant code shares its process with the loop that reports it: nothing here is to be trusted. */
export interface ActionCommand {
  /** Index of the action. */
  readonly action: number;
  /** `accessToken.setCustomClaim`. */
  readonly name: string;
  readonly arguments: readonly unknown[];
}

/** When an action ran, and what it failed with. */
export interface ActionReport {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly error: ThrownError | undefined;
}

const MOST_COMMANDS = 20_000;
const LONGEST_TEXT = 4_000;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

export function readCommands(result: unknown): readonly ActionCommand[] {
  return objectsOf(objectOf(result).commands)
    .slice(0, MOST_COMMANDS)
    .flatMap(({ action, name, arguments: given }) => {
      const index = numberOf(action);
      return index !== undefined && typeof name === 'string' && Array.isArray(given) && given[0] !== '__proto__'
        ? [{ action: index, name, arguments: given }]
        : [];
    });
}

/** Of the actions that ran, in order. */
export function readReports(result: unknown, now: Date): readonly ActionReport[] {
  const moment = (value: unknown) => (typeof value === 'string' && MOMENT.test(value) ? value : now.toISOString());
  return objectsOf(objectOf(result).reports).map(({ startedAt, endedAt, error }) => ({
    startedAt: moment(startedAt),
    endedAt: moment(endedAt),
    error: isObject(error) ? thrownOf(error) : undefined,
  }));
}

function thrownOf(error: Json): ThrownError {
  const text = (name: string) => textOf(error[name])?.slice(0, LONGEST_TEXT);
  const [code, stack] = [text('code'), text('stack')];
  return {
    name: text('name') ?? 'Error',
    message: text('message') ?? '',
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
  };
}
