import { parseResponseType, usesFrontChannel } from './response-type.ts';

export type ResponseMode = 'query' | 'fragment' | 'form_post' | 'web_message';

/**
 * How the answer travels; undefined where the request asks for a way that does not exist for it: tokens never in a query
 * (OAuth 2.0 Multiple Response Type Encoding Practices section 3), forms and messages only to web pages.
 */
export function readResponseMode(
  mode: string | undefined,
  responseType: string | undefined,
  redirectUri: string,
): ResponseMode | undefined {
  const fallback = defaultResponseMode(responseType);
  switch (mode) {
    case undefined:
      return fallback;
    case 'query':
      return fallback === 'query' ? 'query' : undefined;
    case 'fragment':
      return 'fragment';
    case 'form_post':
    case 'web_message':
      return /^https?:/i.test(redirectUri) ? mode : undefined;
    default:
      return undefined;
  }
}

/** Where nothing else is asked for, and for errors of requests that ask for something impossible. */
export function defaultResponseMode(responseType: string | undefined): 'query' | 'fragment' {
  const type = responseType === undefined ? undefined : parseResponseType(responseType);
  return type && usesFrontChannel(type) ? 'fragment' : 'query';
}
