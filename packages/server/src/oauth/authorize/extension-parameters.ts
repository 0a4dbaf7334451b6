import { authorizeErrors } from './authorize-errors.ts';

/** Auth0 takes ten with a pushed request; for /authorize it documents no number. */
export const MOST_PUSHED_EXTENSIONS = 10;
export const MOST_EXTENSIONS = 50;
const PREFIX = 'ext-';
const LONGEST_NAME = 128;
const MOST_CHARACTERS = 16_384;

/** `ext-…`: what an application tells the login pages and actions of its tenant. Bounded, since it is kept with the login. */
export function readExtensions(
  values: Readonly<Record<string, string>>,
  most = MOST_EXTENSIONS,
): Readonly<Record<string, string>> {
  const found = Object.entries(values).filter(([name, value]) => name.startsWith(PREFIX) && value !== '');
  if (found.length > most)
    throw authorizeErrors.invalidRequest({ reason: `There may be at most ${most} parameters that begin with ext-` });
  const size = found.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > MOST_CHARACTERS || found.some(([name]) => name.length > LONGEST_NAME))
    throw authorizeErrors.invalidRequest({ reason: 'The parameters that begin with ext- are too long' });
  return Object.fromEntries(found);
}
