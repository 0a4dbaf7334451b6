import { type MatchRules, matchesUrl } from './callback-match.ts';

/** What of a client tells from which origins its pages call us. */
export interface OriginOwner {
  readonly callbacks: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly webOrigins: readonly string[];
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\]+$/;

/** Whether a browser page of this origin may call the endpoints for this client (CORS). */
export function isAllowedOrigin(client: OriginOwner, origin: string, rules: MatchRules): boolean {
  if (!ORIGIN.test(origin)) return false;
  const entries = [...client.allowedOrigins, ...client.webOrigins, ...client.callbacks].map(originOf);
  return matchesUrl(entries, origin, { ...rules, ignoreQuery: false });
}

/** Whether a page of this origin may get answers by web_message, and log in across origins (authentication-api section 0). */
export function isWebOrigin(client: Pick<OriginOwner, 'webOrigins'>, origin: string, rules: MatchRules): boolean {
  if (!ORIGIN.test(origin)) return false;
  return matchesUrl(client.webOrigins.map(originOf), origin, { ...rules, ignoreQuery: false });
}

/** Scheme, host and port of an entry, its wildcard included; custom schemes and the localhost literal stay as they are. */
function originOf(entry: string): string {
  return /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+)/i.exec(entry)?.[1] ?? entry;
}
