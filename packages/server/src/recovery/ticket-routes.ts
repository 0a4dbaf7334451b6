import { isAmbiguous } from '../clients/callback-match.ts';
import type { Client } from '../clients/client.ts';
import type { ClientStore } from '../clients/client-store.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { normaliseEmail } from '../users/identifier.ts';
import { asIdentity } from '../users/identity-profile.ts';
import { type Identity, ordinaryUser, type User, userErrors } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import type { DraftTicket, TicketRequest } from './draft-ticket.ts';
import { tenantOfLinks } from './tenant-of-links.ts';
import { ticketErrors } from './ticket.ts';
import type { TicketStore } from './ticket-store.ts';

export interface TicketRouteStores {
  readonly users: Pick<UserStore, 'find' | 'findLogin'>;
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly clients: Pick<ClientStore, 'find'>;
  readonly tickets: Pick<TicketStore, 'replace'>;
}

/** POST /tickets/…: a link for an operator to pass on; no mail is sent. */
export function ticketRoutes<Stores extends TicketRouteStores>(
  management: Management<Stores>,
  { draftTicket }: { readonly draftTicket: DraftTicket },
): void {
  management.route('POST /tickets/password-change', async (call) => {
    const found = await userOf(call);
    const user = ordinaryUser(found?.user);
    const identity = identityOf(user, call.body, (one) => one.provider === 'auth0', found?.identity);
    const connection = identity && (await call.stores.connections.find(call.tenant.tenantId, identity.connectionId));
    if (!identity || connection?.strategy !== 'auth0') throw ticketErrors.noPassword();
    return createTicket(call, user, identity, {
      purpose: 'password-change',
      marksEmailVerified: call.body.mark_email_as_verified === true,
    });
  });

  management.route('POST /tickets/email-verification', async (call) => {
    const user = ordinaryUser(await call.stores.users.find(call.tenant.tenantId, String(call.body.user_id)));
    const identity = identityOf(user, call.body, () => true);
    if (!identity) throw userErrors.unknownConnection();
    if (asIdentity(user, identity).email === undefined) throw ticketErrors.noEmail();
    return createTicket(call, user, identity, { purpose: 'email-verification' });
  });

  async function createTicket(
    call: ManagementCall<Stores>,
    user: User,
    identity: Identity,
    request: Pick<TicketRequest, 'purpose' | 'marksEmailVerified'>,
  ): Promise<{ ticket: string }> {
    const { tenant, body } = call;
    const ticket = draftTicket(tenantOfLinks(call), {
      ...request,
      userId: user.userId,
      connectionId: identity.connectionId,
      identityUserId: identity.userId,
      email: asIdentity(user, identity).email,
      clientId: (await clientOf(call))?.clientId,
      resultUrl: resultUrlOf(call),
      lifetimeSeconds: typeof body.ttl_sec === 'number' ? body.ttl_sec : undefined,
      includesEmail: body.includeEmailInRedirect !== false,
    });
    return call.commit(async ({ tickets }) => {
      if (!(await tickets.replace(tenant.tenantId, ticket.row))) throw ticketErrors.userBlocked();
      return { ticket: ticket.url };
    });
  }
}

/** By id, or by the address in a directory. */
async function userOf(
  call: ManagementCall<TicketRouteStores>,
): Promise<{ readonly user: User | undefined; readonly identity?: Identity } | undefined> {
  const { tenantId } = call.tenant;
  const { user_id: userId, email, connection_id: connectionId } = call.body;
  if (typeof userId === 'string') {
    if (email !== undefined || connectionId !== undefined)
      throw ticketErrors.notBoth({ reason: 'email and connection_id can not be specified with user_id' });
    return { user: await call.stores.users.find(tenantId, userId) };
  }
  if (typeof email !== 'string' || typeof connectionId !== 'string')
    throw ticketErrors.notBoth({ reason: 'Specify either user_id, or email and connection_id' });
  const keys = { email: normaliseEmail(email), username: undefined, phone: undefined };
  return call.stores.users.findLogin(tenantId, connectionId, keys);
}

/** The identity that the body names, else the one that it was found by, else the first one that will do. */
export function identityOf(
  user: User,
  body: Readonly<Record<string, unknown>>,
  willDo: (identity: Identity) => boolean,
  foundBy?: Identity,
): Identity | undefined {
  const { identity } = body;
  const named = typeof identity === 'object' && identity !== null ? { ...identity } : undefined;
  if (!named && foundBy) return willDo(foundBy) ? foundBy : undefined;
  if (!named) {
    const { connection_id: connectionId } = body;
    return user.identities.find(
      (one) => willDo(one) && (connectionId === undefined || one.connectionId === connectionId),
    );
  }
  const { user_id: userId, provider, connection_id: connectionId } = named as Readonly<Record<string, unknown>>;
  const found = user.identities.find(
    (one) =>
      one.userId === userId &&
      one.provider === provider &&
      (connectionId === undefined || one.connectionId === connectionId),
  );
  if (!found) throw userErrors.notFound();
  return willDo(found) ? found : undefined;
}

/** The application that the body names. */
export async function clientOf({
  tenant,
  body,
  stores,
}: Pick<ManagementCall<{ readonly clients: Pick<ClientStore, 'find'> }>, 'tenant' | 'body' | 'stores'>): Promise<
  Client | undefined
> {
  if (body.organization_id !== undefined) throw ticketErrors.unknownOrganization();
  if (typeof body.client_id !== 'string') return undefined;
  const found = await stores.clients.find(tenant.tenantId, body.client_id);
  if (!found || found.isGlobal) throw ticketErrors.unknownClient();
  return found;
}

/** Somebody will be sent there: an absolute web address that every parser reads alike (attack A2). */
function resultUrlOf({ tenant, body }: Pick<ManagementCall<never>, 'tenant' | 'body'>): string | undefined {
  const { result_url: given } = body;
  if (typeof given !== 'string' || given === '') return undefined;
  if (body.client_id !== undefined || body.organization_id !== undefined) throw ticketErrors.resultUrlOrClient();
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isLocal = tenant.environment !== 'production' && url?.protocol === 'http:' && url.hostname === 'localhost';
  const isPlain =
    url !== undefined && url.username === '' && url.password === '' && url.hash === '' && !isAmbiguous(given);
  if (!isPlain || !(url.protocol === 'https:' || isLocal) || !/^https?:\/\/[^/?]/i.test(given) || given.length > 2_048)
    throw ticketErrors.invalidResultUrl();
  return given;
}
