import { randomInt } from 'node:crypto';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';

/** No vowels, so that no code is a word, and no letter that looks like another one (RFC 8628 section 6.1). */
const CHARSETS = { base20: 'BCDFGHJKLMNPQRSTVWXZ', digits: '0123456789' } as const;
const LONGEST_TYPED = 64;

/** A code that a user types at a browser, as the tenant's `device_flow` shapes it. */
export function makeUserCode(tenant: Tenant): string {
  const { charset, mask } = settingsOf(tenant).deviceFlow;
  const characters = CHARSETS[charset];
  return mask.replaceAll('*', () => characters.charAt(randomInt(characters.length)));
}

/** What counts of a code that was typed: case, blanks and dashes don't. Undefined where it can be no code. */
export function normalizeUserCode(typed: string | undefined): string | undefined {
  if (typed === undefined || typed.length > LONGEST_TYPED) return undefined;
  const code = typed.toUpperCase().replace(/[\s-]/g, '');
  return /^[A-Z0-9]{8,20}$/.test(code) ? code : undefined;
}

/** The code as the device shows it: the user compares the two. */
export function formatUserCode(tenant: Tenant, code: string): string {
  const { mask } = settingsOf(tenant).deviceFlow;
  if (mask.replace(/[^*]/g, '').length !== code.length) return code;
  let index = 0;
  return mask.replaceAll('*', () => code.charAt(index++));
}
