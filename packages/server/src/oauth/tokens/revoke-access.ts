import type { LogoutInitiator } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { RevokeAccess } from '../../users/change-user.ts';
import type { TokenGrantStore } from './token-grant-store.ts';

interface Stores {
  readonly sessions: Pick<SessionStore, 'end'>;
  readonly tokenGrants: Pick<TokenGrantStore, 'revokeOfUser'>;
  /** Links that were mailed to the user. */
  readonly tickets: { removeOfUser(tenantId: string, userId: string): Promise<void> };
  /** Passwords that were right, at forms of applications. */
  readonly loginTickets: { removeOfUser(tenantId: string, userId: string): Promise<void> };
}

/**
 * Ends all that a user's logins opened: sessions (applications hear of it as they asked to), every token grant, and the
 * links that were sent. In the transaction of what made it necessary: a new password or address, a block, a deletion.
 */
export function createRevokeAccess(now: () => Date): RevokeAccess<Stores> {
  return async (
    { sessions, tokenGrants, tickets, loginTickets },
    tenantId: string,
    userId: string,
    initiator: LogoutInitiator,
  ) => {
    const time = now();
    await sessions.end(tenantId, { userId }, initiator, time);
    await tokenGrants.revokeOfUser(tenantId, userId, time);
    await tickets.removeOfUser(tenantId, userId);
    await loginTickets.removeOfUser(tenantId, userId);
  };
}
