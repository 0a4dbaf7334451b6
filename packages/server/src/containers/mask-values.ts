import { isObject } from '../kit/json-values.ts';
import { maskSecretText } from '../logs/masking/mask-secret-text.ts';
import { secretKindOf } from '../logs/masking/secret-names.ts';
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
/** Of whom the execution is about, who may write a thousand values: those of the tenant's come before. */
const ABOUT_USERS: readonly string[] = ['user', 'context', 'event', 'arguments'];
/** Characters that are compared for one execution, some milliseconds: a text that takes more is hidden as a whole. */
const MOST_COMPARED = 5_000_000;
/** Scripts of a database get a plain password as their second argument. */
const GIVEN_PASSWORD = new Set(['login', 'change_password']);
/** Somebody's password is hidden however weak it is; below this it is no more than letters. */
const SHORTEST_PASSWORD = 4;

/** Hides what a job was given in confidence, in what its code has written: also in the forms that printing gives it. */
export function createMask({
  kind,
  program,
  input,
}: Pick<Job, 'kind' | 'program' | 'input'>): (text: string) => string {
  const values = new Set<string>(givenPasswords({ kind, program, input }));
  const members = Object.entries(isObject(input) ? input : {});
  const isLast = ([name]: readonly [string, unknown]) => ABOUT_USERS.includes(name);
  for (const [name, member] of [...members.filter((one) => !isLast(one)), ...members.filter(isLast)])
    collect(member, isSecretName(name), 0, values);
  const hide = createHiding([...new Set([...values].flatMap(formsOf))]);
  return (text) => maskSecretText(hide(text));
}

/** Those that somebody typed: an argument of its own, or a member of the new user that hooks and `create` are given. */
function givenPasswords({ kind, program, input }: Pick<Job, 'kind' | 'program' | 'input'>): string[] {
  if ((kind !== 'database' && kind !== 'hook') || !isObject(input) || !Array.isArray(input.arguments)) return [];
  const given: readonly unknown[] = input.arguments;
  const isArgument = kind === 'database' && GIVEN_PASSWORD.has(program.parts[0]?.id ?? '');
  const passwords = [...given.map((one) => (isObject(one) ? one.password : undefined)), isArgument && given[1]];
  return passwords.filter((one) => typeof one === 'string').filter(({ length }) => length >= SHORTEST_PASSWORD);
}

/**
 * Looks for all needles in one pass. Tenant code chooses both the needles and the text: searching for one after the other
 * would take the server's thread for minutes, where they nearly match all over.
 */
function createHiding(needles: readonly string[]): (text: string) => string {
  const byStart = new Map<string, string[]>();
  const width = Math.min(SHORTEST, ...needles.map(({ length }) => length));
  for (const needle of needles) {
    const start = needle.slice(0, width);
    const others = byStart.get(start);
    if (others) others.push(needle);
    else byStart.set(start, [needle]);
  }
  let left = MOST_COMPARED;
  return (text) => {
    let shown = '';
    let shownUntil = 0;
    let hiddenUntil = 0;
    for (let at = 0; at <= text.length - width; at++) {
      for (const needle of byStart.get(text.slice(at, at + width)) ?? []) {
        left -= needle.length;
        if (left < 0) return MASK;
        if (!text.startsWith(needle, at)) continue;
        // Needles that overlap are hidden together.
        if (at >= hiddenUntil) shown += text.slice(shownUntil, at) + MASK;
        hiddenUntil = Math.max(hiddenUntil, at + needle.length);
        shownUntil = hiddenUntil;
      }
    }
    return shown + text.slice(shownUntil);
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
