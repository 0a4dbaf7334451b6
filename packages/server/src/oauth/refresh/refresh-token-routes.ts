import { defineErrors } from '../../kit/errors.ts';
import { textOf, textsOf } from '../../kit/json-values.ts';
import type { Management, ManagementCall } from '../../management/call.ts';
import { managementErrors } from '../../management/management-errors.ts';
import { metadataOf } from '../../sessions/session-metadata.ts';
import { ordinaryUser, type User } from '../../users/user.ts';
import type { ListedRefreshToken, RefreshTokenFilter, RefreshTokenListStore } from './refresh-token-list-store.ts';

interface Stores {
  readonly users: { find(tenantId: string, userId: string): Promise<User | undefined> };
  readonly refreshTokenLists: RefreshTokenListStore;
}

const refreshTokenErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_refresh_token', message: 'The refresh token does not exist.' },
});

const MOST_IDS = 100;

/** /refresh-tokens and /users/{user_id}/refresh-tokens of the Management API. The tokens themselves are nowhere in it. */
export function refreshTokenRoutes<Own extends Stores>(
  management: Management<Own>,
  { now }: { readonly now: () => Date },
): void {
  management.route('GET /refresh-tokens', async (call) =>
    list(call, 'refresh_tokens', { userId: textOf(call.query.user_id), clientId: textOf(call.query.client_id) }),
  );

  management.route('GET /refresh-tokens/{id}', async (call) => toWire(call, await existing(call.stores, call)));

  management.route('PATCH /refresh-tokens/{id}', async (call) => {
    const metadata = metadataOf(call.body, 'refresh_token_metadata');
    return call.commit(async (stores) => {
      const { refreshTokenLists } = stores;
      const token = await existing(stores, call);
      const set = () =>
        metadata === undefined || refreshTokenLists.setMetadata(call.tenant.tenantId, token.tokenId, metadata);
      // It may rotate between the two statements: its successor has the same name.
      if (!(await set()) && !(await set())) throw refreshTokenErrors.notFound();
      return toWire(call, { ...token, ...(metadata && { metadata }) });
    });
  });

  management.route('DELETE /refresh-tokens/{id}', async (call) =>
    call.commit(({ refreshTokenLists }) =>
      refreshTokenLists.revoke(call.tenant.tenantId, { tokenIds: [idOf(call)] }, now()),
    ),
  );

  management.route('POST /refresh-tokens/revoke', async (call) => {
    const filter = filterOf(call.body);
    return call.commit(async ({ refreshTokenLists }) => {
      await refreshTokenLists.revoke(call.tenant.tenantId, filter, now());
      return {};
    });
  });

  management.route('GET /users/{user_id}/refresh-tokens', async (call) => {
    const { userId } = await existingUser(call.stores, call);
    return list(call, 'tokens', { userId });
  });

  management.route('DELETE /users/{user_id}/refresh-tokens', async (call) =>
    call.commit(async (stores) => {
      const { userId } = await existingUser(stores, call);
      await stores.refreshTokenLists.revoke(call.tenant.tenantId, { userId }, now());
      return {};
    }),
  );

  function list(call: ManagementCall<Own>, key: string, filter: RefreshTokenFilter): Promise<unknown> {
    const { tenantId } = call.tenant;
    const { refreshTokenLists } = call.stores;
    return call.list(key, {
      page: (_offset, limit) => refreshTokenLists.after(tenantId, filter, now(), undefined, limit),
      count: () => refreshTokenLists.count(tenantId, filter, now()),
      after: (cursor, limit) => refreshTokenLists.after(tenantId, filter, now(), cursor, limit),
      cursorOf: ({ tokenId }) => tokenId,
      toWire: (token) => toWire(call, token),
    });
  }

  async function existing(stores: Stores, call: ManagementCall<Own>): Promise<ListedRefreshToken> {
    const token = await stores.refreshTokenLists.find(call.tenant.tenantId, idOf(call), now());
    if (!token) throw refreshTokenErrors.notFound();
    return token;
  }
}

/** Ids alone, or a user, a client or both, which an API narrows down: nothing named is no wish to end everything. */
function filterOf(body: Readonly<Record<string, unknown>>): RefreshTokenFilter {
  const tokenIds = body.ids === undefined ? undefined : textsOf(body.ids);
  const [userId, clientId, audience] = [textOf(body.user_id), textOf(body.client_id), textOf(body.audience)];
  const isByOwner = userId !== undefined || clientId !== undefined;
  if (tokenIds ? isByOwner || audience !== undefined : !isByOwner)
    throw managementErrors.invalidBody({ problem: "'Name either ids, or user_id, client_id or both'" });
  if (tokenIds && tokenIds.length > MOST_IDS)
    throw managementErrors.invalidBody({
      problem: `'Array is too long (${tokenIds.length}), maximum ${MOST_IDS}' on property ids`,
    });
  return { tokenIds, userId, clientId, audience };
}

function toWire({ origin }: Pick<ManagementCall<unknown>, 'origin'>, token: ListedRefreshToken) {
  return {
    id: token.tokenId,
    user_id: token.userId,
    created_at: token.createdAt.toISOString(),
    idle_expires_at: token.idleExpiresAt?.toISOString() ?? null,
    expires_at: token.expiresAt?.toISOString() ?? null,
    device: token.device,
    client_id: token.clientId,
    session_id: token.sessionId ?? null,
    rotating: token.rotating,
    // Without an audience the access token is for /userinfo.
    resource_servers: [{ audience: token.audience ?? `${origin}/userinfo`, scopes: token.scope }],
    last_exchanged_at: token.lastUsedAt?.toISOString() ?? null,
    ...(Object.keys(token.metadata).length > 0 && { refresh_token_metadata: token.metadata }),
  };
}

async function existingUser(
  stores: Pick<Stores, 'users'>,
  { tenant, params }: Pick<ManagementCall<unknown>, 'tenant' | 'params'>,
): Promise<User> {
  return ordinaryUser(await stores.users.find(tenant.tenantId, params.user_id ?? ''));
}

function idOf({ params }: Pick<ManagementCall<unknown>, 'params'>): string {
  return params.id ?? '';
}
