import { type Client, isPublic } from '../../clients/client.ts';
import { digest, keyedDigest } from '../../kit/digest.ts';
import { prefixedId, randomSecret } from '../../kit/ids.ts';
import type { Confirmation, Possession } from '../possession/possession.ts';
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

/** What code of the tenant wants of a refresh token (`api.refreshToken` of actions). JSON: it waits with the code that is to be redeemed. */
export interface RefreshTokenWishes {
  /** ISO texts. */
  readonly expiresAt?: string;
  readonly idleExpiresAt?: string;
  readonly metadata?: MetadataWishes;
}

export interface MetadataWishes {
  /** What was noted before goes. */
  readonly empties: boolean;
  readonly removed: readonly string[];
  readonly set: Readonly<Record<string, string>>;
}

/** What a successor has from the token before it: the absolute end of the family, and the key that it is bound to. */
type Inherited = Pick<RefreshToken, 'expiresAt' | 'confirmation'>;

/** The row of a first token: one of a public client is bound to the key that it proved to hold. */
export function describeRefreshToken(
  client: Client,
  token: string,
  grantId: string,
  now: Date,
  possession: Possession,
  wishes: RefreshTokenWishes = {},
): RefreshToken {
  const confirmation = refreshConfirmation(client, possession);
  const expiresAt = wishedExpiry(client, wishes, now, latestExpiry(client, now));
  return { ...describe(client, token, grantId, now, { expiresAt, confirmation }), ...wishedIdle(wishes, expiresAt) };
}

/** The row of a token that follows another one. */
export function describeSuccessor(
  client: Client,
  token: string,
  { grantId, createdAt, ...before }: Inherited & Pick<PresentedRefreshToken, 'grantId' | 'createdAt'>,
  now: Date,
  wishes: RefreshTokenWishes = {},
): RefreshToken {
  const known = before.expiresAt ?? latestExpiry(client, now);
  const expiresAt = wishedExpiry(client, wishes, createdAt, known);
  return { ...describe(client, token, grantId, now, { ...before, expiresAt }), ...wishedIdle(wishes, expiresAt) };
}

/** When a token ends that goes on without a successor. */
export function prolongedExpiry(
  client: Client,
  { createdAt, expiresAt: before }: Pick<PresentedRefreshToken, 'createdAt' | 'expiresAt'>,
  now: Date,
  wishes: RefreshTokenWishes = {},
): Pick<RefreshToken, 'expiresAt' | 'idleExpiresAt'> {
  const expiresAt = wishedExpiry(client, wishes, createdAt, before);
  return { expiresAt, idleExpiresAt: idleExpiry(client, now), ...wishedIdle(wishes, expiresAt) };
}

/** Code may choose any end that the client's settings allow the family, whatever was chosen before. */
function wishedExpiry(
  client: Client,
  { expiresAt: wish }: RefreshTokenWishes,
  firstAt: Date,
  before: Date | undefined,
): Date | undefined {
  if (wish === undefined) return before;
  const latest = latestExpiry(client, firstAt);
  const wished = new Date(wish);
  return latest && latest < wished ? latest : wished;
}

/** Not bound by the client's idle time: a token that is let idle longer ends with its family. */
function wishedIdle(
  { idleExpiresAt: wish }: RefreshTokenWishes,
  expiresAt: Date | undefined,
): Partial<Pick<RefreshToken, 'idleExpiresAt'>> {
  if (wish === undefined) return {};
  const wished = new Date(wish);
  return { idleExpiresAt: expiresAt && expiresAt < wished ? expiresAt : wished };
}

/** A confidential client is bound by its authentication already, and may change its key (RFC 9449 section 5). */
function refreshConfirmation(client: Client, { jkt }: Possession): Confirmation | undefined {
  return isPublic(client) && jkt !== undefined ? { jkt } : undefined;
}

function describe(client: Client, token: string, grantId: string, now: Date, inherited: Inherited): RefreshToken {
  const { refreshToken: rules } = client;
  return {
    tokenHash: digest(token),
    tokenId: prefixedId('rt', 22),
    grantId,
    rotating: rules.rotationType === 'rotating',
    idleExpiresAt: idleExpiry(client, now),
    expiresAt: inherited.expiresAt,
    confirmation: inherited.confirmation,
  };
}

/** When a family ends that began then; undefined where it need not. */
function latestExpiry(client: Client, firstAt: Date): Date | undefined {
  return isEndless(client) ? undefined : inSeconds(firstAt, client.refreshToken.tokenLifetime);
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
