import { isObject } from '../kit/json-values.ts';
import { maskSecretText } from '../logs/mask-secret-text.ts';
import { secretKindOf } from '../logs/secret-names.ts';
import type { Job } from './job.ts';

const MASK = '*****';
/** Shorter ones are words like `prod` and `true`, whose absence would make a console unreadable. */
const SHORTEST = 6;
/** Of a value with several lines, as a key has: each line that says enough by itself. */
const SHORTEST_LINE = 16;
const MOST_VALUES = 1_000;
const MAX_DEPTH = 8;
/** Where tenant code gets its secrets from, besides members that are named like one. */
const SECRET_MEMBERS = /^(?:configuration|secrets?|librarysecrets)$/i;
/** Scripts of a database get a plain password as their second argument. */
const GIVEN_PASSWORD = new Set(['login', 'change_password']);

/** Hides what a job was given in confidence, in what its code has written: also in the forms that printing gives it. */
export function createMask({
  kind,
  program,
  input,
}: Pick<Job, 'kind' | 'program' | 'input'>): (text: string) => string {
  const values = new Set<string>();
  collect(input, false, 0, values);
  if (kind === 'database' && isObject(input) && GIVEN_PASSWORD.has(program.parts[0]?.id ?? '')) {
    const [, password] = Array.isArray(input.arguments) ? input.arguments : [];
    collect(password, true, 0, values);
  }
  // The longest first: one may be a part of another.
  const needles = [...new Set([...values].flatMap(formsOf))].toSorted((one, other) => other.length - one.length);
  return (text) => {
    let masked = text;
    for (const needle of needles) if (masked.includes(needle)) masked = masked.replaceAll(needle, MASK);
    return maskSecretText(masked);
  };
}

function collect(value: unknown, isSecret: boolean, depth: number, values: Set<string>): void {
  if (values.size >= MOST_VALUES || depth > MAX_DEPTH) return;
  if (typeof value === 'string') {
    if (isSecret && value.length >= SHORTEST) values.add(value);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, isSecret, depth + 1, values);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value))
      collect(member, isSecret || isSecretName(name), depth + 1, values);
  }
}

/** A `code` may be a word; what is secret under that name is no input of tenant code. */
function isSecretName(name: string): boolean {
  const kind = secretKindOf(name);
  return SECRET_MEMBERS.test(name) || (kind !== undefined && kind !== 'code');
}

function formsOf(value: string): string[] {
  const lines = value.includes('\n') ? value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE) : [];
  const bytes = Buffer.from(value);
  return [
    value,
    ...lines,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}
