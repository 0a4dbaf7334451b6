import { type Json, objectOf, textOf } from '../../kit/json-values.ts';
import { completeTexts, type PartialTexts, type Texts } from './page-texts.ts';

/** Names that Auth0 gives the same text besides. */
const ALIASES: Readonly<Record<string, string>> = {
  signupActionText: 'footerText',
  signupActionLinkText: 'footerLinkText',
  loginActionText: 'footerText',
  loginActionLinkText: 'footerLinkText',
  passwordSecurityText: 'passwordPolicyTitle',
};

/** Our texts with a tenant's over them, by prompt, screen and key. Empty ones, and keys that no page has, change nothing. */
export function withCustomTexts(own: PartialTexts | undefined, custom: Json): Texts {
  return completeTexts(usable(custom), completeTexts(own));
}

function usable(custom: Json): PartialTexts {
  return Object.fromEntries(
    Object.entries(custom).map(([prompt, screens]) => [
      prompt,
      Object.fromEntries(Object.entries(objectOf(screens)).map(([screen, texts]) => [screen, usableTexts(texts)])),
    ]),
  );
}

function usableTexts(texts: unknown): Record<string, string> {
  const given = Object.entries(objectOf(texts)).flatMap(([key, text]) =>
    typeof text === 'string' && text.trim() !== '' ? [[key, text] as const] : [],
  );
  const named = Object.fromEntries(given);
  for (const [key, text] of given) {
    const alias = Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
    // Auth0's own value of the one is a reference to the other, `${footerText}`.
    if (alias !== undefined && named[alias] === undefined && !text.startsWith('${')) named[alias] = text;
  }
  return named;
}

/** Texts that a tenant made up for its partials: `var-tos` is `prompt.screen.texts.varTos`. */
export function ownVariables(custom: Json, prompt: string, screen: string): Record<string, string> {
  const texts = Object.entries(objectOf(objectOf(custom[prompt])[screen]));
  return Object.fromEntries(
    texts.flatMap(([key, text]) =>
      key.startsWith('var-')
        ? [[key.replace(/-+(\w)/g, (_all, letter: string) => letter.toUpperCase()), textOf(text) ?? '']]
        : [],
    ),
  );
}
