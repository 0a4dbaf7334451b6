import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transact } from '../db/transact.ts';
import type { TenantCookie } from '../http/cookies.ts';
import type { RecordEvent } from '../logs/event.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { cookieExpiry, startSession } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';
import { type LoginContext, loginEvent } from './login-context.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';

export interface FinishStores {
  readonly users: Pick<UserStore, 'recordLogin'>;
  readonly sessions: Pick<SessionStore, 'insert' | 'removeByCookie'>;
  readonly loginTransactions: Pick<LoginTransactionStore, 'complete'>;
  readonly record: RecordEvent;
}

interface Parts<Stores extends FinishStores> {
  readonly transact: Transact<Stores>;
  readonly sessionCookie: TenantCookie;
  readonly now: () => Date;
}

export interface Finish<Stores> {
  readonly context: LoginContext;
  /** The prompt that the user answered, as the event names it. */
  readonly prompt: 'prompt-authenticate' | 'prompt-signup';
  /** Who logged in; a sign-up makes the user in the same transaction. */
  readonly user: (stores: Stores) => Promise<User>;
}

/** The user has proved who they are: a new session replaces the browser's old one, and the request goes on at /authorize/resume. */
export function createFinishLogin<Stores extends FinishStores>({ transact, sessionCookie, now }: Parts<Stores>) {
  return async function finishLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    { context, prompt, user }: Finish<Stores>,
  ): Promise<FastifyReply> {
    const { tenant, requester } = http;
    const { tenantId } = tenant;
    const { connection } = context;
    const time = now();
    const oldCookie = sessionCookie.read(http);
    const session = await transact(async (stores) => {
      const person = await user(stores);
      const { userId, email, username } = person;
      const started = startSession(tenant, userId, connection.id, time);
      if (!(await stores.loginTransactions.complete(tenantId, context.key.state, started.sessionId)))
        throw authorizePageErrors.expired();
      if (oldCookie) await stores.sessions.removeByCookie(tenantId, oldCookie);
      const loginsCount = await stores.users.recordLogin(tenantId, person, requester.ip);
      if (loginsCount === undefined) throw authorizePageErrors.expired();
      await stores.sessions.insert(tenantId, started, { user_agent: requester.userAgent, ip: requester.ip });
      await stores.record(tenantId, {
        ...loginEvent(http, context),
        type: 'loginSucceeded',
        userId,
        userName: email ?? username ?? userId,
        details: {
          prompts: [
            {
              name: prompt,
              connection: connection.name,
              connection_id: connection.id,
              strategy: connection.strategy,
              flow: 'universal-login',
              completedAt: time.getTime(),
            },
          ],
          completedAt: time.getTime(),
          session_id: started.sessionId,
          stats: { loginsCount },
        },
      });
      return started;
    });
    sessionCookie.write(http, reply, session.cookie, cookieExpiry(tenant, session));
    return reply.header('cache-control', 'no-store').redirect(`/authorize/resume?state=${context.key.state}`, 303);
  };
}

export type FinishLogin<Stores> = (
  http: FastifyRequest,
  reply: FastifyReply,
  finish: Finish<Stores>,
) => Promise<FastifyReply>;
