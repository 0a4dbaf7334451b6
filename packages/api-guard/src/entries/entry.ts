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

/** What a verifier says of a token. */
export type Verdict =
  | { readonly active: false; readonly reason: string }
  | {
      readonly active: true;
      /** Of the token; a verdict is never used at or after it. Absent where the server does not say. */
      readonly expiresAt?: number;
      readonly user: TokenUser;
      readonly permissions: readonly string[];
    };

/** `checkedAt` is when the question was sent: whatever was revoked later is not in the answer. */
export type StoredVerdict = Verdict & { readonly checkedAt: number };

/** Who the token speaks for; claims as the authorization server named them. */
export interface TokenUser {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

export interface StoredSession {
  /** When the refresh token's own life ends, or nobody needs to find the next token any more; the entry lives as long. */
  readonly endsAt: number;
  /** Absent where it was rotated: then `next` says which access token follows. */
  readonly refreshToken?: string;
  /** When the access token ends under which this is kept. */
  readonly tokenEndsAt?: number;
  readonly next?: { readonly accessToken: string; readonly expiresAt: number; readonly rotatedAt: number };
}
