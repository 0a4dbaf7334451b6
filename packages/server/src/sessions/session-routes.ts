import { defineErrors } from '../kit/errors.ts';
import { flagOf, textOf } from '../kit/json-values.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { TokenGrantStore } from '../oauth/tokens/token-grant-store.ts';
import type { RevokeAccess } from '../users/change-user.ts';
import { ordinaryUser, type User } from '../users/user.ts';
import type { ListedSession, SessionListStore } from './session-list-store.ts';
import { metadataOf } from './session-metadata.ts';
import type { SessionStore } from './session-store.ts';
import { sessionToWire } from './session-wire.ts';

interface Stores {
  readonly users: { find(tenantId: string, userId: string): Promise<User | undefined> };
  readonly sessions: Pick<SessionStore, 'end'>;
  readonly sessionLists: SessionListStore;
  readonly tokenGrants: Pick<TokenGrantStore, 'revokeOfSession' | 'revokeUnredeemed'>;
  /** Passwords that were right, at forms of applications. */
  readonly loginTickets: { removeOfUser(tenantId: string, userId: string): Promise<void> };
}

interface Needs<Own> {
  readonly revokeAccess: RevokeAccess<Own>;
  readonly now: () => Date;
}

const sessionErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_session', message: 'The session does not exist.' },
});

/** /sessions and /users/{user_id}/sessions of the Management API, and /users/{id}/revoke-access. */
export function sessionRoutes<Own extends Stores>(
  management: Management<Own>,
  { revokeAccess, now }: Needs<Own>,
): void {
  management.route('GET /sessions/{id}', async (call) =>
    sessionToWire(call.tenant, await existing(call.stores, call, now())),
  );

  management.route('PATCH /sessions/{id}', async (call) => {
    const metadata = metadataOf(call.body, 'session_metadata');
    return call.commit(async (stores) => {
      const session = await existing(stores, call, now());
      if (metadata) await stores.sessionLists.setMetadata(call.tenant.tenantId, session.sessionId, metadata);
      return sessionToWire(call.tenant, { ...session, ...(metadata && { metadata }) });
    });
  });

  management.route('DELETE /sessions/{id}', async (call) =>
    call.commit(async (stores) => {
      const session = await stores.sessionLists.find(call.tenant, idOf(call), now());
      if (session) await endSession(stores, call, session);
      return {};
    }),
  );

  management.route('POST /sessions/{id}/revoke', async (call) =>
    call.commit(async (stores) => {
      const session = await existing(stores, call, now());
      await endSession(stores, call, session);
      await stores.tokenGrants.revokeOfSession(call.tenant.tenantId, session.sessionId, now());
      return {};
    }),
  );

  management.route('GET /users/{user_id}/sessions', async (call) => {
    const { userId } = await existingUser(call.stores, call, 'user_id');
    const { tenant } = call;
    const { sessionLists } = call.stores;
    return call.list('sessions', {
      page: (_offset, limit) => sessionLists.ofUser(tenant, userId, now(), undefined, limit),
      count: () => sessionLists.countOfUser(tenant, userId, now()),
      after: (cursor, limit) => sessionLists.ofUser(tenant, userId, now(), cursor, limit),
      cursorOf: ({ sessionId }) => sessionId,
      toWire: (session) => sessionToWire(tenant, session),
    });
  });

  management.route('DELETE /users/{user_id}/sessions', async (call) =>
    call.commit(async (stores) => {
      const { userId } = await existingUser(stores, call, 'user_id');
      await logOut(stores, call.tenant.tenantId, userId);
      return {};
    }),
  );

  management.route('POST /users/{id}/revoke-access', async (call) => {
    const { tenantId } = call.tenant;
    const sessionId = textOf(call.body.session_id);
    const keepsTokens = flagOf(call.body.preserve_refresh_tokens) ?? false;
    return call.commit(async (stores) => {
      const { userId } = await existingUser(stores, call, 'id');
      if (sessionId === undefined && !keepsTokens) {
        await revokeAccess(stores, tenantId, userId, 'session-revoked');
        return {};
      }
      if (sessionId === undefined) {
        await logOut(stores, tenantId, userId);
        return {};
      }
      const [ended] = await stores.sessions.end(tenantId, { sessionId, userId }, 'session-revoked', now());
      if (!ended) return {};
      if (keepsTokens) await stores.tokenGrants.revokeUnredeemed(tenantId, { sessionId }, now());
      else await stores.tokenGrants.revokeOfSession(tenantId, sessionId, now());
      return {};
    });
  });

  async function endSession(
    { sessions, tokenGrants }: Own,
    { tenant: { tenantId } }: ManagementCall<Own>,
    { sessionId }: ListedSession,
  ): Promise<void> {
    await sessions.end(tenantId, { sessionId }, 'session-revoked', now());
    await tokenGrants.revokeUnredeemed(tenantId, { sessionId }, now());
  }

  /** Ends the user's sessions and every login that is on its way; what applications hold already stays. */
  async function logOut({ sessions, tokenGrants, loginTickets }: Own, tenantId: string, userId: string): Promise<void> {
    await sessions.end(tenantId, { userId }, 'session-revoked', now());
    await tokenGrants.revokeUnredeemed(tenantId, { userId }, now());
    await loginTickets.removeOfUser(tenantId, userId);
  }
}

type Call = Pick<ManagementCall<unknown>, 'tenant' | 'params'>;

async function existing(stores: Pick<Stores, 'sessionLists'>, call: Call, now: Date): Promise<ListedSession> {
  const session = await stores.sessionLists.find(call.tenant, idOf(call), now);
  if (!session) throw sessionErrors.notFound();
  return session;
}

async function existingUser(stores: Pick<Stores, 'users'>, call: Call, name: 'id' | 'user_id'): Promise<User> {
  return ordinaryUser(await stores.users.find(call.tenant.tenantId, call.params[name] ?? ''));
}

function idOf({ params }: Call): string {
  return params.id ?? '';
}
