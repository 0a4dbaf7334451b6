import { byTokenService, createGuard, type Guard, type TokenCache } from '@gatewright/api-guard';
import { createMemcachedCache } from '@gatewright/api-guard/memcached';
import { readSettings } from './read-settings.ts';

/** What guard and broker have in common. */
interface ApiOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly secret: string;
  readonly deadlineMs: number;
}

export interface CompanyGuard {
  readonly guard: Guard;
  readonly cache: TokenCache;
  readonly api: ApiOptions;
}

/**
 * What each service of the company begins with: the shared cache, and a guard that asks the token service about tokens that the
 * cache does not know. No client secret, and no request to the authorization server.
 */
export function createCompanyGuard(): CompanyGuard {
  const settings = readSettings(
    'ISSUER',
    'AUDIENCE',
    'GUARD_SECRET',
    'MEMCACHED',
    'MEMCACHED_DEADLINE_MS',
    'TOKEN_SERVICE',
    'DEADLINE_MS',
    'CALLER_SECRET',
    'MAX_STALE_SECONDS',
  );
  const cache = createMemcachedCache({
    servers: settings.MEMCACHED.split(','),
    deadlineMs: Number(settings.MEMCACHED_DEADLINE_MS),
  });
  const api = {
    issuer: settings.ISSUER,
    audience: settings.AUDIENCE,
    secret: settings.GUARD_SECRET,
    deadlineMs: Number(settings.DEADLINE_MS),
  };
  const guard = createGuard({
    ...api,
    cache,
    verify: byTokenService({ url: settings.TOKEN_SERVICE, callerSecret: settings.CALLER_SECRET }),
    maxStaleSeconds: Number(settings.MAX_STALE_SECONDS),
    onEvent: ({ type, message }) => process.stderr.write(`${type}: ${message}\n`),
  });
  return { guard, cache, api };
}
