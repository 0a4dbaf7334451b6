import { ANY_LOCALHOST, isActive, isAmbiguous, isWildcard } from './callback-match.ts';

export type UrlKind = 'callback' | 'origin' | 'logout';
export type UrlFault = 'malformed' | 'production';

const LONGEST_ENTRY = 2_048;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:/i;
const PLACEHOLDER = /^(https?:\/\/[a-z0-9-]*)\{(?:organization_name|organization\.name)\}([a-z0-9-]*\.)/i;

/** What is wrong with a URL that someone wants to register; undefined where nothing is. */
export function urlFault(entry: string, kind: UrlKind, isProduction: boolean): UrlFault | undefined {
  if (entry === ANY_LOCALHOST) return isProduction ? 'production' : undefined;
  return isRegistrable(entry, kind) ? undefined : 'malformed';
}

function isRegistrable(entry: string, kind: UrlKind): boolean {
  if (entry === '' || entry.length > LONGEST_ENTRY || isAmbiguous(entry)) return false;
  // Redirects append their parameters; a fragment would hide them (RFC 6749 section 3.1.2).
  if (entry.includes('#') || !ABSOLUTE.test(entry) || isActive(entry)) return false;
  if (entry.includes('*') && !isWildcard(entry)) return false;
  const plain = entry.replace('*', 'x').replace(PLACEHOLDER, '$1x$2');
  if (/[*{}]/.test(plain) || !URL.canParse(plain)) return false;
  const url = new URL(plain);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  if (isWeb && !/^https?:\/\/[^/?@]+([/?]|$)/i.test(plain)) return false;
  if (url.username !== '' || url.password !== '') return false;
  return kind !== 'origin' || (url.host !== '' && url.search === '' && (url.pathname === '' || url.pathname === '/'));
}
