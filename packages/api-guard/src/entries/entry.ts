/**
 * What is known of one access token: the guard writes what the token service said, the session broker what belongs to a session
 * that it began. Both write by compare-and-swap and leave the other's fields alone. Times are seconds since 1970.
 */
export interface Entry {
  /** The verdict of the service, and when it was asked; absent until the first request with a token of a new session. */
  readonly verdict?: StoredVerdict;
  /** The session behind the token, where a broker keeps it. */
  readonly session?: StoredSession;
}

export type StoredVerdict =
  | { readonly active: false; readonly reason: string; readonly checkedAt: number }
  | {
      readonly active: true;
      readonly checkedAt: number;
      /** Of the token; a verdict is never used at or after it. */
      readonly expiresAt: number;
      readonly user: TokenUser;
      readonly permissions: readonly string[];
    };

/** Who the token speaks for; claims as the authorization server named them. */
export interface TokenUser {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

export interface StoredSession {
  /** When the refresh token's own life ends; the entry lives as long. */
  readonly endsAt: number;
  /** Absent where it was rotated: then `next` says which access token follows. */
  readonly refreshToken?: string;
  readonly next?: { readonly accessToken: string; readonly expiresAt: number; readonly rotatedAt: number };
}
