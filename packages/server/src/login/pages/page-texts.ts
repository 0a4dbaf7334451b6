import { readdirSync, readFileSync } from 'node:fs';
import en from './texts/en.json' with { type: 'json' };

/** Every text of the pages, by prompt, screen and key, the three names that Auth0's custom-text API uses. */
export type Texts = typeof en;
/** A language file may lack keys: English fills the gaps. */
export type PartialTexts<T = Texts> = {
  readonly [Key in keyof T]?: T[Key] extends string ? string : PartialTexts<T[Key]>;
};
export type TextsByLanguage = Readonly<Record<string, PartialTexts>>;

const FOLDER = new URL('./texts/', import.meta.url);
const RIGHT_TO_LEFT = new Set(['ar', 'dv', 'fa', 'he', 'ku', 'ps', 'ur', 'yi']);

/** English and what lies beside it: a new language is a new file, `texts/de.json`. */
export function readTexts(): TextsByLanguage {
  const texts: Record<string, PartialTexts> = {};
  for (const file of readdirSync(FOLDER)) {
    const language = /^([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.json$/.exec(file)?.[1];
    if (language !== undefined) texts[language] = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
  }
  return texts;
}

export function completeTexts(texts: PartialTexts | undefined, base: Texts = en): Texts {
  return overlay(base, texts);
}

/** Replaces `${name}`. The values stay plain text: the template escapes the whole. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}

/** A screen's texts with the names in them: one pass, so that a name like `${companyName}` stays what it is. */
export function fillScreen<Screen extends Readonly<Record<string, unknown>>>(
  screen: Screen,
  values: Readonly<Record<string, string>>,
): Screen {
  const filled = Object.entries(screen).map(([key, text]) => [
    key,
    typeof text === 'string' ? fill(text, values) : text,
  ]);
  return Object.fromEntries(filled) as Screen;
}

/** The `dir` attribute of a language. */
export function directionOf(language: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(language.split('-')[0] ?? '') ? 'rtl' : 'ltr';
}

/** Takes only keys that `base` has, and only where the type agrees: a wrong file can't break a page. */
function overlay<T extends object>(base: T, over: unknown): T {
  if (typeof over !== 'object' || over === null) return base;
  const given = new Map(Object.entries(over));
  const merged = { ...base };
  for (const key of Object.keys(base) as (keyof T & string)[]) {
    const current = base[key];
    const value = given.get(key);
    if (typeof current === 'object' && current !== null) merged[key] = overlay(current, value);
    else if (typeof value === 'string') merged[key] = value as T[keyof T & string];
  }
  return merged;
}
