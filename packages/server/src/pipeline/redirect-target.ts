import type { DeclaredError } from '../kit/errors.ts';
import { explained } from '../logs/explain-error.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { pipelineErrors } from './pipeline-errors.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9.-]+\.localhost)$/;

/**
 * The address that tenant code sends a browser to, with the state that it brings back to /continue and nothing else. What
 * is there stays to the letter: it may be signed. Over https, so that nobody on the way reads either; a developer's own
 * machine may do without.
 */
export function redirectTarget(tenant: Tenant, url: string, state: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed) throw refused(url, 'it is no absolute URL');
  const isLocal = tenant.environment === 'development' && LOOPBACK.test(parsed.hostname);
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLocal))
    throw refused(url, isLocal ? 'it is neither https nor http' : 'it is not https');
  if (parsed.username !== '' || parsed.password !== '') throw refused(url, 'it has a user name or a password');
  const { search, hash } = parsed;
  const query = [
    ...search
      .slice(1)
      .split('&')
      .filter((pair) => pair !== '' && !isState(pair)),
    `state=${state}`,
  ];
  parsed.hash = '';
  parsed.search = '';
  return `${parsed.href}?${query.join('&')}${hash}`;
}

/** One that code put there itself would be read in place of ours. */
function isState(pair: string): boolean {
  return new URLSearchParams(pair).has('state');
}

/** They carry what proves to the other side who the user is: none of the log's business. */
export function withoutParameters(url: string): string {
  return url.split(/[?#]/, 1).join('');
}

function refused(url: string, reason: string): DeclaredError {
  return explained(pipelineErrors.failed(), { redirect: withoutParameters(url).slice(0, 1_000), reason });
}
