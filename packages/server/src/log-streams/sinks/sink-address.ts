import { textOf } from '../../kit/json-values.ts';

const LONGEST = 2_048;
const HOST = /^(?=.{1,253}$)(\[[0-9a-f:.]{2,45}\]|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)$/i;

/** What is wrong with an address that a stream sends to; where it leads is looked at when it is called. */
export function faultOfAddress(member: string, value: unknown): string | undefined {
  const text = textOf(value) ?? '';
  const wanted = `${member} must be an http or https URL without user, password and fragment, of at most ${LONGEST} characters.`;
  if (text === '' || text.length > LONGEST || !URL.canParse(text)) return wanted;
  const { protocol, username, password, hash } = new URL(text);
  const isWeb = protocol === 'https:' || protocol === 'http:';
  return isWeb && username === '' && password === '' && hash === '' ? undefined : wanted;
}

export function faultOfHost(member: string, value: unknown): string | undefined {
  return HOST.test(textOf(value) ?? '') ? undefined : `${member} must be the name or address of a host.`;
}

/** A number, or its digits. */
export function portOf(value: unknown): number | undefined {
  const port = typeof value === 'number' || (typeof value === 'string' && /^\d{1,5}$/.test(value)) ? Number(value) : 0;
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
