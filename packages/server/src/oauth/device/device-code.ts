import { defineErrors } from '../../kit/errors.ts';
import type { TokenGrant } from '../tokens/token-grant-store.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const DEVICE_CODE_SECONDS = 900;
export const POLL_SECONDS = 5;

/** A device that waits for its user. */
export interface DeviceCode {
  readonly deviceCodeHash: string;
  readonly clientId: string;
  /** As it will stand in the token; undefined for /userinfo alone. */
  readonly audience: string | undefined;
  readonly scope: string;
  readonly status: 'pending' | 'authorized' | 'denied';
  /** Why it was denied, where it was not its user who did. */
  readonly refusal: string | undefined;
  /** Set once the user has let the device in. */
  readonly grant: TokenGrant | undefined;
  /** Seconds between two polls; grows with each one that comes too early (RFC 8628 section 3.5). */
  readonly interval: number;
  readonly polledAt: Date | undefined;
  readonly expiresAt: Date;
}

/** RFC 8628 section 3.5, with the statuses that Auth0 answers (authentication-api section 3.5). */
export const deviceErrors = defineErrors({
  notNative: {
    status: 403,
    code: 'unauthorized_client',
    message: 'The device flow is for native applications only.',
  },
  pending: { status: 403, code: 'authorization_pending', message: 'User has yet to authorize device code.' },
  slowDown: {
    status: 429,
    code: 'slow_down',
    message: 'You are polling faster than the specified interval of {interval} seconds.',
  },
  expired: { status: 403, code: 'expired_token', message: 'The device code is expired or invalid.' },
  denied: { status: 403, code: 'access_denied', message: 'User cancelled the confirmation prompt.' },
  refused: { status: 403, code: 'access_denied', message: '{reason}' },
  invalid: { status: 403, code: 'invalid_grant', message: 'Invalid or expired device code.' },
  tooManyCodes: { status: 429, code: 'too_many_requests', message: 'Too many device codes were asked for.' },
});

/** What the /activate pages tell their user. */
export const activationErrors = defineErrors({
  invalidCode: { status: 400, code: 'invalid-code', message: 'The user code is unknown, expired or used' },
  tooManyGuesses: { status: 429, code: 'too-many-requests', message: 'Too many user codes were tried' },
  over: { status: 400, code: 'transaction-expired', message: 'The device does not wait any more' },
});
