/** The token of an Authorization header (RFC 6750 section 2.1), or what is wrong with it. */
export type Bearer =
  | { readonly token: string }
  /** Nobody tried to authenticate by a bearer token: section 3.1 wants no error code then. */
  | { readonly fault: 'missing' }
  | { readonly fault: 'malformed' };

/** As much as authorization servers take; Node itself refuses longer headers unless told otherwise. */
export const LONGEST_TOKEN = 16_384;

const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const SCHEME = /^bearer(?: +|$)/i;

export function readBearer(header: string | undefined): Bearer {
  const scheme = SCHEME.exec(header ?? '')?.[0];
  if (header === undefined || scheme === undefined) return { fault: 'missing' };
  const token = header.slice(scheme.length);
  return isToken(token) ? { token } : { fault: 'malformed' };
}

export function isToken(text: string): boolean {
  return text.length <= LONGEST_TOKEN && TOKEN.test(text);
}
