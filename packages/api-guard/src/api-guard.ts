/** What `import … from '@gatewright/api-guard'` has; frameworks, memcached and the session broker are paths below it. */
export { createMemoryCache, type MemoryCacheOptions } from './caches/memory-cache.ts';
export { CacheAwayError, type Cached, type TokenCache } from './caches/token-cache.ts';
export type { TokenUser, Verdict } from './entries/entry.ts';
export { createGuard, type Guard, type GuardStats } from './guard/create-guard.ts';
export {
  type Away,
  type Decision,
  type Granted,
  type HttpAnswer,
  lacksPermissions,
  type Refused,
} from './guard/decision.ts';
export type { GuardEvent, GuardOptions } from './guard/guard-options.ts';
export { byIntrospection, type IntrospectionOptions } from './verifiers/by-introspection.ts';
export { bySignature, type SignatureOptions } from './verifiers/by-signature.ts';
export { byTokenService, type TokenServiceOptions } from './verifiers/by-token-service.ts';
export { byUserinfo, type UserinfoOptions } from './verifiers/by-userinfo.ts';
export { ServiceAwayError, type VerifyToken } from './verifiers/verify-token.ts';
