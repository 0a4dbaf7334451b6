import { defineErrors } from '../kit/errors.ts';
import { isObject, type Json } from '../kit/json-values.ts';

/** Texts by screen and key. */
export type ScreenTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const promptErrors = defineErrors({
  invalid: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: '{reason}' on property {property}.",
  },
});

const DEFAULT_SETTINGS: Json = {
  universal_login_experience: 'new',
  identifier_first: false,
  webauthn_platform_first_factor: false,
};

const MOST_SCREENS = 50;
const MOST_KEYS = 300;
const LONGEST_KEY = 100;
const LONGEST_TEXT = 2_000;
/** Of one prompt in one language: each process keeps the texts that its pages show. */
const LARGEST_BODY = 64_000;

export function settingsToWire(settings: Json): Json {
  return { ...DEFAULT_SETTINGS, ...settings };
}

/** Texts as the catalogue leaves them open: screens, and in each keys with a text. They stay text: pages escape them. */
export function checkTexts(body: Json): void {
  checkScreens(body, LONGEST_TEXT);
  const size = JSON.stringify(body).length;
  if (size > LARGEST_BODY) throw tooLong(size, LARGEST_BODY, 'body');
}

/** Walks `{screen: {name: text}}`; anything else is refused. */
export function checkScreens(body: Json, longest: number, check?: (text: string, property: string) => void): void {
  checkNames(body, MOST_SCREENS, 'body');
  for (const [screen, members] of Object.entries(body)) {
    if (!isObject(members)) throw wrongType('object', members, screen);
    checkNames(members, MOST_KEYS, screen);
    for (const [name, text] of Object.entries(members)) {
      const property = `${screen}.${name}`;
      if (typeof text !== 'string') throw wrongType('string', text, property);
      if (text.length > longest) throw tooLong(text.length, longest, property);
      check?.(text, property);
    }
  }
}

function checkNames(members: Json, most: number, property: string): void {
  const names = Object.keys(members);
  if (names.length > most) throw invalid(`Too many properties (${names.length}), maximum ${most}`, property);
  const wrong = names.find((name) => name.length > LONGEST_KEY || !/^[\w-]+$/.test(name));
  if (wrong !== undefined) throw invalid('Property names have letters, digits, - and _ only', property);
}

function wrongType(expected: string, value: unknown, property: string) {
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return invalid(`Expected type ${expected} but found type ${found}`, property);
}

function tooLong(count: number, maximum: number, property: string) {
  return invalid(`String is too long (${count} chars), maximum ${maximum}`, property);
}

function invalid(reason: string, property: string) {
  return promptErrors.invalid({ reason, property });
}
