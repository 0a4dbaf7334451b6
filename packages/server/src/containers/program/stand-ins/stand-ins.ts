import { bcrypt } from './bcrypt.ts';
import { pg } from './pg.ts';
import { ruleUtilities } from './rule-utilities.ts';

type StandIn = (version: string | undefined) => unknown;

/**
 * What `require` gives in place of a package: one whose native code a container can't load, one that was never
 * published on npm, one whose current version lost what the documented templates call. Undefined: the store's own.
 */
export const STAND_INS: ReadonlyMap<string, StandIn> = new Map<string, StandIn>([
  ['bcrypt', () => bcrypt()],
  ['pg', (version) => (version === undefined ? pg() : undefined)],
  ['@auth0/rule-utilities', (version) => ruleUtilities(version)],
]);
