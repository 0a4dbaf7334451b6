import { type ConnectionOptions, connectionErrors, member } from './connection.ts';

/** What scripts read as `configuration`. */
export type ScriptConfiguration = Readonly<Record<string, string>>;

/** Stands in `options.configuration` for each value: the values are sealed elsewhere, and come back to nobody. */
export const HIDDEN = '_VALUE_NOT_SHOWN_';

const MOST_KEYS = 100;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 16 * 1024;

/**
 * Takes the values out of the options that a body brings. Tools read the options, change one and send them all: a value
 * that comes back as it was shown stays as it was. Old tools say `bareConfiguration`.
 */
export function splitConfiguration(
  options: ConnectionOptions,
  before: ScriptConfiguration,
): { readonly options: ConnectionOptions; readonly configuration: ScriptConfiguration } {
  const { configuration: _shown, bareConfiguration: _bare, ...others } = options;
  const given = { ...member(options, 'configuration'), ...member(options, 'bareConfiguration') };
  const values = Object.entries(given).flatMap(([key, value]) =>
    value === null ? [] : [[key, checkedValue(key, value, before)] as const],
  );
  if (values.length > MOST_KEYS) throw invalid(`options.configuration must have no more than ${MOST_KEYS} keys`);
  const configuration = Object.fromEntries(values);
  if (!('configuration' in options) && !('bareConfiguration' in options)) return { options: others, configuration };
  const shown = Object.fromEntries(values.map(([key]) => [key, HIDDEN]));
  return { options: { ...others, configuration: shown }, configuration };
}

function checkedValue(key: string, value: unknown, before: ScriptConfiguration): string {
  if (key.length > LONGEST_KEY || key === '' || key === '__proto__' || !key.isWellFormed() || key.includes('\0'))
    throw invalid(`a key of options.configuration must have 1 to ${LONGEST_KEY} characters`);
  if (typeof value !== 'string') throw invalid(`options.configuration.${key} must be a string`);
  if (value.length > LONGEST_VALUE)
    throw invalid(`options.configuration.${key} must have no more than ${LONGEST_VALUE} characters`);
  if (value !== HIDDEN) return value;
  const known = Object.hasOwn(before, key) ? before[key] : undefined;
  // Of an export that is brought to another connection: the script would get these very letters.
  if (known === undefined) throw invalid(`options.configuration.${key} has no value yet: ${HIDDEN} only keeps one`);
  return known;
}

function invalid(reason: string) {
  return connectionErrors.invalid({ reason });
}
