import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEvent } from '../../logs/event.ts';
import type { Session } from '../../sessions/session.ts';
import type { User } from '../../users/user.ts';
import type { LoginRequest } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { LivingSession } from './find-session.ts';
import { sessionEvent } from './session-event.ts';

/** What a request is answered with, once nothing stands between it and its user any more. */
export interface Granted {
  readonly session: Session;
  readonly user: User;
  /** Told where the session alone answered: nobody logged in just now, so there is no event of a login yet. */
  readonly event?: AuditEvent;
  /** The login transaction that ends with the answer. */
  readonly state?: string;
}

/**
 * Gives the client (or the device) what it asked for. False, and no reply, where the session or the login transaction has
 * ended meanwhile. (A promise of a reply would not tell: Fastify's reply is a thenable that resolves to nothing.)
 */
export type Answer = (http: FastifyRequest, reply: FastifyReply, granted: Granted) => Promise<boolean>;

export interface Proceeding {
  readonly request: LoginRequest;
  readonly living: LivingSession;
  readonly answer: Answer;
  /** The login transaction under way; none where a session answered /authorize at once. */
  readonly login?: { readonly state: string; readonly hasLoggedIn: boolean };
}

/**
 * The one way from a known user to the answer: of a living session at /authorize, of /authorize/resume after the login
 * pages, and of a device's confirmation. What else must happen in between (consent, later rules, actions and second
 * factors) has its place here.
 */
export function createProceed() {
  return async function proceed(
    http: FastifyRequest,
    reply: FastifyReply,
    { request, living, answer, login }: Proceeding,
  ): Promise<boolean> {
    // Consent of strangers' applications is not built yet: they get none.
    if (!request.client.isFirstParty) throw authorizeErrors.consentRequired();
    return answer(http, reply, {
      session: living.session,
      user: living.user,
      ...(!login?.hasLoggedIn && { event: sessionEvent(http, request, living) }),
      ...(login && { state: login.state }),
    });
  };
}

export type Proceed = ReturnType<typeof createProceed>;
