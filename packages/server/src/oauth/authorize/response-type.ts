import type { Protocol } from '../../pipeline/login-facts.ts';

/** What an /authorize request wants to get at its redirect URI (OAuth 2.0 Multiple Response Type Encoding Practices). */
export interface ResponseType {
  readonly code: boolean;
  readonly token: boolean;
  readonly idToken: boolean;
}

const WORDS: ReadonlySet<string> = new Set(['code', 'token', 'id_token']);

/** The order of the words means nothing; undefined where one is unknown or stands twice. */
export function parseResponseType(text: string): ResponseType | undefined {
  const words = text.split(' ');
  const distinct = new Set(words);
  if (distinct.size !== words.length || !words.every((word) => WORDS.has(word))) return undefined;
  return { code: distinct.has('code'), token: distinct.has('token'), idToken: distinct.has('id_token') };
}

/** Whether tokens come through the browser: they must never stand in a query, which servers log and browsers pass on. */
export function usesFrontChannel({ token, idToken }: ResponseType): boolean {
  return token || idToken;
}

/** What tenant code calls the flow. */
export function protocolOf(type: ResponseType): Protocol {
  if (!usesFrontChannel(type)) return 'oidc-basic-profile';
  return type.code ? 'oidc-hybrid-profile' : 'oidc-implicit-profile';
}
