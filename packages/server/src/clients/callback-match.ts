/** The entry that allows every port and path of http://localhost; production tenants neither store nor honour it. */
export const ANY_LOCALHOST = 'http://localhost:*';

export interface MatchRules {
  /** Whether `https://*.example.com/callback` matches one sub-domain label. */
  readonly wildcards: boolean;
  /** Whether the literal entry ANY_LOCALHOST counts: not in production tenants. */
  readonly localhostAny: boolean;
  /** RFC 8252 section 7.3: native applications may use any port on a loopback address that is registered. */
  readonly loopbackPort?: boolean;
  /** Logout URLs are compared without query and fragment. */
  readonly ignoreQuery?: boolean;
}

const LONGEST_URL = 4_096;
/**
 * Blanks and control characters are cut by some parsers and kept by others; so are backslashes (taken for slashes). What is
 * no ASCII stands in no URI (RFC 3986 section 2): it looks like something else, and a Location header can't carry it.
 */
const AMBIGUOUS = /[^\x21-\x7e]|\\/;

export const isAmbiguous = (url: string): boolean => AMBIGUOUS.test(url);

/**
 * Whether one of the allowed URLs is the given one. Strings are compared, never parsed URLs: two parsers that disagree
 * about a URL are how redirects are stolen (RFC 9700 section 4.1.3).
 */
export function matchesUrl(allowed: readonly string[], given: string, rules: MatchRules): boolean {
  if (given === '' || given.length > LONGEST_URL || isAmbiguous(given) || isActive(given)) return false;
  const url = rules.ignoreQuery ? withoutQuery(given) : given;
  return allowed.some((entry) => matchesEntry(rules.ignoreQuery ? withoutQuery(entry) : entry, url, rules));
}

function matchesEntry(entry: string, url: string, rules: MatchRules): boolean {
  if (entry === ANY_LOCALHOST) return rules.localhostAny && isOnLocalhost(url);
  if (entry.includes('*')) return rules.wildcards && matchesWildcard(entry, url);
  if (entry === url) return !url.includes('{');
  return rules.loopbackPort === true && sameButLoopbackPort(entry, url);
}

const LOCALHOST = /^http:\/\/localhost(?::([0-9]{1,5}))?(?:[/?][^#]*)?$/;

function isOnLocalhost(url: string): boolean {
  const match = LOCALHOST.exec(url);
  return match !== null && (match[1] === undefined || isPort(match[1]));
}

function isPort(digits: string): boolean {
  return !digits.startsWith('0') && Number(digits) <= 65_535;
}

// Auth0's sub-domain placeholder: http or https, one `*`, within the left-most label, below a domain of two labels.
const WILDCARD = /^(https?:\/\/[a-z0-9-]*)\*([a-z0-9-]*(?:\.[a-z0-9-]+){2,}(?::[0-9]{1,5})?(?:[/?][^*]*)?)$/i;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether an entry with `*` is a wildcard that we understand. */
export function isWildcard(entry: string): boolean {
  return WILDCARD.test(entry);
}

function matchesWildcard(entry: string, url: string): boolean {
  const match = WILDCARD.exec(entry);
  const [, head = '', tail = ''] = match ?? [];
  if (!match || url.length <= head.length + tail.length || !url.startsWith(head) || !url.endsWith(tail)) return false;
  if (!/^[a-z0-9-]+$/.test(url.slice(head.length, url.length - tail.length))) return false;
  const label = /^https?:\/\/([^./?#:@]*)\./i.exec(url);
  return LABEL.test(label?.[1] ?? '');
}

const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?][^#]*)?)$/;

function sameButLoopbackPort(entry: string, url: string): boolean {
  const registered = LOOPBACK.exec(entry);
  const asked = LOOPBACK.exec(url);
  if (!registered || !asked || (asked[2] !== undefined && !isPort(asked[2]))) return false;
  return registered[1] === asked[1] && registered[3] === asked[3];
}

/** Schemes that run or read what follows them instead of going somewhere. */
export function isActive(url: string): boolean {
  return /^(javascript|data|vbscript|blob|file|filesystem|about|view-source):/i.test(url);
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
