import { mailErrors } from './mail.ts';

// A line break in a header begins a header of its own: `Bcc:` to anybody (attack R3). Names of applications and tenants end
// up in subjects, so what comes in here is never trusted, whoever checked it before.

const LONGEST_HEADER = 200;
const LONGEST_ADDRESS = 254;

/** A header's text in one line. */
export function headerText(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length <= LONGEST_HEADER ? line : `${line.slice(0, LONGEST_HEADER - 1).toWellFormed()}…`;
}

/** Exactly one address: no second one, no display name, no header. */
export function mailAddress(address: string): string {
  if (
    address.length > LONGEST_ADDRESS ||
    !/^[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]+@[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}]+$/u.test(address)
  )
    throw mailErrors.badAddress();
  return address;
}

/** `"Name" <address>`, the name quoted as RFC 5322 section 3.2.4 says. */
export function namedAddress(name: string, address: string): string {
  return `"${headerText(name).replace(/["\\]/g, '\\$&')}" <${mailAddress(address)}>`;
}
