import type { BrandView } from './branding.ts';
import type { PagePolicy } from './page-headers.ts';
import type { Texts } from './page-texts.ts';

/** A page: its template, what it may do in the browser, and how its model becomes the template's variables. */
export interface Page<Model> {
  /** `login` is login.liquid. */
  readonly template: string;
  readonly policy: PagePolicy;
  /** Auth0's names for it: custom texts and partials are for these, and page templates see them. */
  readonly screen?: readonly [prompt: string, screen: string];
  view(model: Model, texts: Texts, brand: BrandView): PageView;
}

/** The variables of the template. Text in it is plain and URLs are checked; the template escapes everything. */
export interface PageView {
  readonly pageTitle: string;
  readonly [variable: string]: unknown;
}

/** A text of the language files, by its key, or one that a rule or script made. */
export type Message<Code extends string> = Code | { readonly text: string };

export interface FormErrors<Code extends string, Field extends string> {
  /** Shown above the form. */
  readonly form?: readonly Message<Code>[];
  /** Shown at the field. */
  readonly fields?: { readonly [Name in Field]?: Message<Code> };
}

const LONGEST_MESSAGE = 500;
const MOST_MESSAGES = 5;

export function messageText<Code extends string>(
  message: Message<Code> | undefined,
  texts: Readonly<Record<Code, string>>,
): string | null {
  if (message === undefined) return null;
  return clip(typeof message === 'string' ? texts[message] : message.text, LONGEST_MESSAGE);
}

export function messageTexts<Code extends string>(
  messages: readonly Message<Code>[] | undefined,
  texts: Readonly<Record<Code, string>>,
): string[] {
  return (messages ?? []).slice(0, MOST_MESSAGES).map((message) => messageText(message, texts) ?? '');
}

/** Screen readers begin with the title: an error belongs there (a server-rendered role=alert is not always announced). */
export function titleWithErrors(title: string, hasErrors: boolean, texts: Texts): string {
  return hasErrors ? `${texts.common.common.errorTitlePrefix} ${title}` : title;
}

/** Names and hints come from requests and settings: as long as a page can show, not as long as someone can send. */
export function clip(text: string, longest = 120): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
