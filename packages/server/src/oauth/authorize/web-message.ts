import { randomBytes } from 'node:crypto';

export interface WebMessage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Response mode web_message: a page without a look, in an iframe or a popup of the application, that hands the answer to
 * the window that opened it, and to nobody but the origin of the redirect URI (authentication-api section 2).
 */
export function webMessage(redirectUri: string, parameters: Readonly<Record<string, string>>): WebMessage {
  const { origin } = new URL(redirectUri);
  const { expires_in: lifetime, ...texts } = parameters;
  const response = { ...texts, ...(lifetime !== undefined && { expires_in: Number(lifetime) }) };
  const message = scriptLiteral({ type: 'authorization_response', response });
  const nonce = randomBytes(16).toString('base64');
  const script = `(function(){var to=window.opener||window.parent;if(to!==window)to.postMessage(${message},${scriptLiteral(origin)})})()`;
  return {
    html: `<!doctype html><html><head><meta charset="utf-8"><title>Authorization response</title></head><body><script nonce="${nonce}">${script}</script></body></html>`,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        // Nobody else may frame it, so nobody else can be the parent that the message goes to.
        `frame-ancestors ${origin}`,
        "base-uri 'none'",
        "form-action 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
    },
  };
}

/** JSON within a script element: nothing in it may end the element or begin a comment. */
function scriptLiteral(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
