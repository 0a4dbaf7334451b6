import type { Client } from '../../clients/client.ts';
import { digest, keyedDigest } from '../../kit/digest.ts';
import { prefixedId, randomSecret } from '../../kit/ids.ts';
import type { PresentedRefreshToken, RefreshToken } from './refresh-token-store.ts';

const PREFIX = 'v1.';

/** A fresh refresh token: 256 random bits behind the prefix that Auth0's newer ones have. */
export function newRefreshToken(): string {
  return PREFIX + randomSecret();
}

/**
 * The successor of a rotated token, derived from the presented one under a key of the tenant: all who present the same
 * token within the leeway get the same successor, and only hashes need to be stored.
 */
export function successorOf(key: Uint8Array, presented: string): string {
  return PREFIX + keyedDigest(key, presented);
}

/** The row of a token. `firstExpiresAt` is the absolute end of the family: rotation does not move it. */
export function describeRefreshToken(
  client: Client,
  token: string,
  grantId: string,
  now: Date,
  firstExpiresAt?: Date,
): RefreshToken {
  const { refreshToken: rules } = client;
  return {
    tokenHash: digest(token),
    tokenId: prefixedId('rt', 22),
    grantId,
    rotating: rules.rotationType === 'rotating',
    idleExpiresAt: idleExpiry(client, now),
    expiresAt: firstExpiresAt ?? (isEndless(client) ? undefined : inSeconds(now, rules.tokenLifetime)),
  };
}

/** When a token that is not used again ends. */
export function idleExpiry({ refreshToken: rules }: Client, now: Date): Date | undefined {
  if (rules.expirationType === 'non-expiring' || rules.infiniteIdleTokenLifetime) return undefined;
  return inSeconds(now, rules.idleTokenLifetime);
}

export function isExpired(token: PresentedRefreshToken, now: Date): boolean {
  return (
    (token.expiresAt !== undefined && token.expiresAt <= now) ||
    (token.idleExpiresAt !== undefined && token.idleExpiresAt <= now)
  );
}

/** Whether a rotated token may be presented once more: another tab was faster, or the answer got lost. */
export function isWithinLeeway(token: PresentedRefreshToken, client: Client, now: Date): boolean {
  const { leeway } = client.refreshToken;
  return token.rotatedAt !== undefined && leeway > 0 && now.getTime() - token.rotatedAt.getTime() <= leeway * 1000;
}

function isEndless({ refreshToken: rules }: Client): boolean {
  return rules.expirationType === 'non-expiring' || rules.infiniteTokenLifetime;
}

export function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
