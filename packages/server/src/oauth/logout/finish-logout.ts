import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../../clients/client.ts';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { SendPage } from '../../login/send-page.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { userNameOf } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import { allowedLogoutUrls } from './logout-target.ts';

interface Parts {
  readonly sessionCookie: TenantCookie;
  readonly sessions: Pick<SessionStore, 'findByCookie'>;
  readonly transact: Transact<{
    sessions: Pick<SessionStore, 'end'>;
    users: Pick<UserStore, 'find'>;
    record: RecordEvent;
  }>;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

/** A logout that may happen: who asked for it, and where the browser goes then. */
export interface Logout {
  readonly client: Client | undefined;
  readonly location: string | undefined;
}

/** Of a list that an event names. */
const MOST_ADDRESSES = 20;

export type FinishLogout = ReturnType<typeof createFinishLogout>;

/** Ends the browser's session, and what the ends of both endpoints have in common. */
export function createFinishLogout({ sessionCookie, sessions, transact, recordAlone, sendPage, now }: Parts) {
  return {
    async finish(request: FastifyRequest, reply: FastifyReply, { client, location }: Logout): Promise<FastifyReply> {
      const { tenant, requester } = request;
      const cookie = sessionCookie.read(request);
      if (cookie) {
        await transact(async ({ sessions, users, record }) => {
          const [ended] = await sessions.end(tenant.tenantId, { cookie }, 'rp-logout', now());
          if (!ended) return;
          const user = await users.find(tenant.tenantId, ended.userId);
          await record(tenant.tenantId, {
            ...requester,
            type: 'loggedOut',
            ...(client && { clientId: client.clientId, clientName: client.name }),
            userId: ended.userId,
            ...(user && { userName: userNameOf(user) }),
            details: {
              session_id: ended.sessionId,
              ...(location && { return_to: location }),
              allowed_logout_url: allowedLogoutUrls(tenant, client).slice(0, MOST_ADDRESSES),
            },
          });
        });
      }
      sessionCookie.clear(request, reply);
      reply.header('cache-control', 'no-store');
      // After a posted form 303: the application is to be read, not posted to.
      if (location) return reply.redirect(location, request.method === 'POST' ? 303 : 302);
      // Auth0 answers the text OK; people who follow a link see a page instead.
      if (!(request.headers.accept ?? '').includes('text/html'))
        return reply.type('text/plain; charset=utf-8').send('OK');
      return sendPage(request, reply, 'logged-out', client ? { clientName: client.name } : {});
    },

    /** A refusal is one event; nothing has ended. */
    async orRecord<Result>(
      request: FastifyRequest,
      given: string | undefined,
      check: (known: (client: Client | undefined) => void) => Promise<Result>,
    ): Promise<Result> {
      let client: Client | undefined;
      try {
        return await check((found) => {
          client = found;
        });
      } catch (error) {
        if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
        const cookie = sessionCookie.read(request);
        const session = cookie && (await sessions.findByCookie(request.tenant.tenantId, cookie));
        await recordAlone(request.tenant.tenantId, {
          ...request.requester,
          type: 'logoutFailed',
          description: error.message,
          ...(client && { clientId: client.clientId, clientName: client.name }),
          ...(session && { userId: session.userId }),
          details: {
            ...(session && { session_id: session.sessionId }),
            ...(given && { return_to: given.slice(0, 512) }),
            allowed_logout_url: allowedLogoutUrls(request.tenant, client).slice(0, MOST_ADDRESSES),
          },
        });
        throw error;
      }
    },
  };
}
