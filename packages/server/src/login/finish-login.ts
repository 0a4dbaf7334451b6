import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transact } from '../db/transact.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { Prompt } from '../oauth/authorize/login-prompts.ts';
import { cookieExpiry } from '../sessions/session.ts';
import type { User } from '../users/user.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';
import { openSession } from './open-session.ts';
import { type SessionStores, storeNewSession } from './store-new-session.ts';

export interface FinishStores extends SessionStores {
  readonly loginTransactions: Pick<LoginTransactionStore, 'complete'>;
}

interface Parts<Stores extends FinishStores> {
  readonly transact: Transact<Stores>;
  readonly sessionCookie: TenantCookie;
  readonly now: () => Date;
}

export interface Finish<Stores> {
  readonly context: LoginContext;
  /** The prompt that the user answered, as the event names it. */
  readonly prompt: Prompt['name'];
  /** Who logged in; a sign-up makes the user in the same transaction. */
  readonly user: (stores: Stores) => Promise<User>;
}

/** The user has proved who they are: the browser has a session of theirs, and the request goes on at /authorize/resume. */
export function createFinishLogin<Stores extends FinishStores>({ transact, sessionCookie, now }: Parts<Stores>) {
  return async function finishLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    { context, prompt, user }: Finish<Stores>,
  ): Promise<FastifyReply> {
    const { tenant } = http;
    const { tenantId } = tenant;
    const { connection } = context;
    const time = now();
    const oldCookie = sessionCookie.read(http);
    const session = await transact(async (stores) => {
      const person = await user(stores);
      const { userId } = person;
      const opened = await openSession(stores.sessions, {
        tenant,
        userId,
        connectionId: connection.id,
        oldCookie,
        now: time,
      });
      const proof = await storeNewSession(stores, {
        http,
        session: opened,
        user: person,
        connection,
        flow: 'universal-login',
      });
      if (!proof) throw authorizePageErrors.expired();
      const completedAt = time.getTime();
      const { initiatedAt = completedAt } = context.transaction.progress;
      const prompts = [{ name: prompt, initiatedAt, completedAt, proof }];
      if (!(await stores.loginTransactions.complete(tenantId, context.key.state, opened.sessionId, { prompts })))
        throw authorizePageErrors.expired();
      return opened;
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
