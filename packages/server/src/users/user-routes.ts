import type { AfterPasswordChange } from '../actions/running/password-change.ts';
import type { Registrations } from '../actions/running/registration.ts';
import type { Connection } from '../connections/connection.ts';
import { tunnelledRequest } from '../containers/tunnelled-request.ts';
import type { ChangeElsewhere } from '../custom-databases/change-elsewhere.ts';
import type { KeepStores } from '../custom-databases/keep-remote-user.ts';
import type { PrepareUser } from '../custom-databases/prepare-user.ts';
import { toldToOperator } from '../custom-databases/script-failure.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { asManagementError } from '../passwords/password-errors.ts';
import {
  type ChangedPassword,
  changeUser,
  identityToChange,
  type RevokeAccess,
  type UserStores,
} from './change-user.ts';
import { draftUser, type NewDatabaseUser } from './create-user.ts';
import { normaliseEmail } from './identifier.ts';
import type { IdpTokenStore } from './idp-tokens/idp-token-store.ts';
import { withIdpTokens } from './idp-tokens/show-idp-tokens.ts';
import { checkOfCode } from './metadata.ts';
import type { HashNewPassword } from './new-password.ts';
import { ordinaryUser, type User, userErrors } from './user.ts';
import type { UserListStore } from './user-list-store.ts';
import { compileUserSearch, type SearchRequest } from './user-search.ts';
import { changeOf, newUserOf, toWire, type UserChange } from './user-wire.ts';

export type UserRouteStores = UserStores &
  Pick<KeepStores, 'record'> & { readonly userLists: UserListStore; readonly idpTokens: IdpTokenStore };

interface Needs<Stores> {
  readonly hashNewPassword: HashNewPassword;
  readonly prepareUser: PrepareUser;
  readonly changeElsewhere: ChangeElsewhere;
  readonly revokeAccess: RevokeAccess<Stores>;
  readonly registrations: Registrations;
  readonly afterPasswordChange: AfterPasswordChange;
  /** Comes before the transaction; what it answers mails a user the link that proves the address, where nobody did yet. */
  readonly prepareVerification: (
    call: Pick<ManagementCall<Stores>, 'tenant' | 'customDomain' | 'requester' | 'actor'>,
  ) => Promise<(stores: Stores, user: User, connectionName?: string) => Promise<void>>;
}

/** /users and /users-by-email of the Management API. That an end user's token acts on itself only is checked before. */
export function userRoutes<Stores extends UserRouteStores>(
  management: Management<Stores>,
  {
    hashNewPassword,
    prepareUser,
    changeElsewhere,
    revokeAccess,
    registrations,
    afterPasswordChange,
    prepareVerification,
  }: Needs<Stores>,
): void {
  management.route('GET /users', async (call) => {
    const search = compileUserSearch(searchOf(call.query));
    const { userLists } = call.stores;
    return call.list('users', {
      page: async (offset, limit) => {
        const found = await userLists.window(call.tenant.tenantId, search, offset, limit);
        return withIdpTokens(call, found);
      },
      count: () => userLists.count(call.tenant.tenantId, search),
    });
  });

  management.route('GET /users-by-email', async (call) => {
    const email = normaliseEmail(String(call.query.email ?? ''));
    if (email === undefined) return [];
    return (await call.stores.userLists.byEmail(call.tenant.tenantId, email)).map(toWire);
  });

  management.route('GET /users/{id}', async (call) => {
    const user = ordinaryUser(await call.stores.users.find(call.tenant.tenantId, idOf(call)));
    const [body] = await withIdpTokens(call, [user]);
    return body;
  });

  management.route('POST /users', async (call) => {
    const { tenantId } = call.tenant;
    const connection = await call.stores.connections.findByName(tenantId, String(call.body.connection));
    if (!connection || connection.isSystem) throw userErrors.unknownConnection();
    if (connection.strategy !== 'auth0') throw userErrors.notADirectory({ connection: connection.name });
    const given = newUserOf(call.body);
    draftUser(connection, given);
    if (tunnelledRequest()) checkNewOfCode(given);
    const { password } = call.body;
    if (typeof password !== 'string') throw userErrors.missing({ property: 'password' });
    const registration = registrationOf(call, connection);
    const makeUser = await managed(() =>
      prepareUser({
        tenant: call.tenant,
        connection,
        clientId: call.actor.clientId,
        input: given,
        password,
        owner: call.body,
        before: (input) => registrations.before(registration, input, password),
        told: toldToOperator,
      }),
    );
    // As with Auth0 a new address is to be proved, unless the creator says that it is, or that no mail shall go out.
    const asksForProof = call.body.verify_email ?? given.emailVerified !== true;
    const verify = asksForProof ? await prepareVerification(call) : undefined;
    let made: User | undefined;
    const body = await call.commit(async (stores) => {
      made = await makeUser(stores);
      await verify?.(stores, made);
      return toWire(made);
    });
    if (made) await registrations.after(registration, made);
    return body;
  });

  management.route('PATCH /users/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const change = { ...changeOf(call.body), isByCode: tunnelledRequest() !== undefined };
    const renewed = await changedPassword(call, change);
    const verify = call.body.verify_email === true ? await prepareVerification(call) : undefined;
    let changed: User | undefined;
    const body = await call.commit(async (stores) => {
      changed = await changeUser(stores, tenantId, idOf(call), change, renewed?.password, revokeAccess);
      await verify?.(stores, changed, change.connection);
      return toWire(changed);
    });
    if (changed && renewed) await afterPasswordChange({ ...registrationOf(call, renewed.connection), user: changed });
    return body;
  });

  management.route('DELETE /users/{id}', async (call) => {
    const known = await call.stores.users.find(call.tenant.tenantId, idOf(call));
    if (known && !known.isSystem) await changeElsewhere.remove(call.tenant, known.identities);
    return call.commit(async (stores) => {
      const user = await stores.users.lock(call.tenant.tenantId, idOf(call));
      if (!user || user.isSystem) return;
      // Before the rows go: what is told to applications (back-channel logout) starts from them.
      await revokeAccess(stores, call.tenant.tenantId, user.userId, 'account-deleted');
      await stores.users.remove(call.tenant.tenantId, user.userId);
    });
  });

  async function changedPassword(
    call: ManagementCall<Stores>,
    change: UserChange,
  ): Promise<{ readonly password: ChangedPassword; readonly connection: Connection } | undefined> {
    const { tenantId } = call.tenant;
    const { password } = change;
    if (!['password', 'email', 'username', 'phoneNumber'].some((name) => name in change)) return undefined;
    const user = ordinaryUser(await call.stores.users.find(tenantId, idOf(call)));
    const elsewhere = await managed(() => changeElsewhere.change(call.tenant, user, change));
    if (elsewhere) return elsewhere;
    if (password === undefined) return undefined;
    const identity = identityToChange(user, change.connection);
    const connection = await call.stores.connections.find(tenantId, identity.connectionId);
    if (connection?.strategy !== 'auth0') throw userErrors.notADirectory({ connection: identity.connection });
    const asked = { connection, password, owner: toWire(user), identity };
    return { connection, password: { hash: await managed(() => hashNewPassword(tenantId, asked)) } };
  }
}

/** Rules, hooks and actions make users, too. */
function checkNewOfCode({ userMetadata = {}, appMetadata = {} }: NewDatabaseUser): void {
  checkOfCode('user_metadata', {}, userMetadata);
  checkOfCode('app_metadata', {}, appMetadata);
}

async function managed<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw asManagementError(cause);
  }
}

function searchOf({ q, connection, sort, search_engine: engine }: ManagementCall<never>['query']): SearchRequest {
  return {
    ...(q === undefined ? {} : { q: String(q) }),
    ...(connection === undefined ? {} : { connection: String(connection) }),
    ...(sort === undefined ? {} : { sort: String(sort) }),
    ...(engine === undefined ? {} : { searchEngine: String(engine) }),
  };
}

/** As tenant code sees it: no application is there, and the password is not told. */
function registrationOf(
  { tenant, requester, actor, body: given }: Pick<ManagementCall<never>, 'tenant' | 'requester' | 'actor' | 'body'>,
  connection: Connection,
) {
  const { password: _password, ...body } = given;
  return {
    tenant,
    client: undefined,
    connection,
    request: { requester, method: 'POST', body },
    about: { ...requester, clientId: actor.clientId, connection: connection.name, connectionId: connection.id },
  };
}

function idOf({ params }: Pick<ManagementCall<never>, 'params'>): string {
  return params.id ?? '';
}
