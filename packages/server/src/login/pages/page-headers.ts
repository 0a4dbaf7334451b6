import { createHash } from 'node:crypto';

/** What a page needs to be allowed; everything else is refused by `default-src 'none'`. */
export interface PagePolicy {
  /** Scripts from /u/static, one inline script by its hash, or none. */
  readonly scripts: 'static' | 'none' | { readonly inline: string };
  /**
   * Whether the page has a form. Its targets can't be listed: Chromium applies form-action to every redirect after the
   * POST, and that chain ends at an address that only the application knows (docs/decisions/0009-login-pages.md).
   */
  readonly hasForm: boolean;
  /** Whether the next site may learn which origin sent the user: it sees `Origin: null` otherwise. */
  readonly tellsOrigin: boolean;
}

export interface PageStyle {
  readonly css: string;
  readonly fontOrigin: string | null;
  /** Whether the page has HTML of the tenant in it, which may bring styles of its own. */
  readonly isTenants: boolean;
}

export function pageHeaders(policy: PagePolicy, style: PageStyle, language: string): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-language': language,
    vary: 'Accept-Language',
    'cache-control': 'no-store',
    'content-security-policy': contentSecurityPolicy(policy, style),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    // no-referrer would make the browser send `Origin: null` with our own forms, and the POST checks that header.
    'referrer-policy': policy.tellsOrigin ? 'strict-origin' : 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-robots-tag': 'noindex',
  };
}

function contentSecurityPolicy({ scripts, hasForm }: PagePolicy, style: PageStyle): string {
  return [
    "default-src 'none'",
    // A hash would switch 'unsafe-inline' off again. Scripts stay ours whatever a tenant writes.
    `style-src 'self' ${style.isTenants ? "'unsafe-inline' https:" : hashSource(style.css)}`,
    ...(style.isTenants ? ['font-src https:'] : style.fontOrigin ? [`font-src ${style.fontOrigin}`] : []),
    "img-src 'self' https: data:",
    `script-src ${scriptSource(scripts)}`,
    ...(hasForm ? [] : ["form-action 'none'"]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function scriptSource(scripts: PagePolicy['scripts']): string {
  if (scripts === 'static') return "'self'";
  return scripts === 'none' ? "'none'" : hashSource(scripts.inline);
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
