import type { ThrownError } from '../job.ts';
import type { Opener } from '../protocol.ts';
import { askedTarget } from './asked-targets.ts';

const LONGEST_TEXT = 4_000;

let opener: Opener = 'operator';

/** Whom a refusal names: see Opener. */
export function setOpener(named: Opener): void {
  opener = named;
}

/** Auth0 takes errors, strings and plain objects, and passes these members on. */
export function describeThrown(cause: unknown): ThrownError {
  if (typeof cause !== 'object' || cause === null)
    return { name: 'Error', message: inWordsOfHere(textOf(cause) ?? '') };
  const read = (name: string): unknown => {
    try {
      return Reflect.get(cause, name);
    } catch {
      return undefined;
    }
  };
  const optional = {
    code: read('code'),
    description: read('description'),
    userId: read('user_id'),
    stack: ownFrames(read('stack')),
  };
  const status = read('statusCode') ?? read('status_code') ?? read('status');
  return {
    name: textOf(read('name')) ?? 'Error',
    message: inWordsOfHere(textOf(read('message')) ?? ''),
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([name, value]) => {
        const text = textOf(value);
        return text === undefined ? [] : [[name, inWordsOfHere(text)]];
      }),
    ),
    ...(typeof status === 'number' && { statusCode: status }),
  };
}

/** The runtime's advice is for who starts it; the author of the code needs the operator, and a command that exists. */
export function inWordsOfHere(text: string): string {
  return (
    text
      .replace(/(Requires (\w+) access(?: to "([^"\n]*)")?), run again with the --allow-\w+ flag/g, refusalOf)
      // A name that is denied, such as localhost, is not even looked up.
      .replace(
        /getaddrinfo EPERM ([\w.:-]{1,255})/g,
        (found, host: string) => `${found}: ${openedBy(askedTarget(host))}`,
      )
  );
}

function refusalOf(_whole: string, refusal: string, kind: string, target?: string): string {
  if (kind !== 'net') return `${refusal}, which code of a tenant does not have`;
  return `${refusal}. ${openedBy(target === undefined ? '<host>:<port>' : askedTarget(target))}`;
}

function openedBy(target: string): string {
  if (opener === 'option') return `For this run --allow ${target} opens it`;
  return `The operator opens it with: gatewright egress allow <tenant> ${target} (and --intranet where it is private)`;
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'object' || typeof value === 'function')
    return undefined;
  return String(value).slice(0, LONGEST_TEXT);
}

const OURS = /file:\/\/|ext:|node:internal/;
/** `new Function` puts two lines before the code. */
const LINES_BEFORE = 2;

/** Of a stack what its author wrote, with the author's lines. */
function ownFrames(stack: unknown): unknown {
  if (typeof stack !== 'string') return stack;
  const [first = '', ...frames] = stack.split('\n');
  const own = frames.filter((frame) => !OURS.test(frame));
  return [first, ...own]
    .join('\n')
    .replace(/:(\d+):(\d+)\)?$/gm, (place, line: string) =>
      place.replace(line, String(Math.max(1, Number(line) - LINES_BEFORE))),
    );
}
