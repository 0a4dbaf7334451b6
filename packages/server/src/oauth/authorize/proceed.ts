import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../../http/cookies.ts';
import type { LoginPage } from '../../login/begin-login.ts';
import type { AuditEvent } from '../../logs/event.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import type { Resumed } from '../../pipeline/login-facts.ts';
import type { Additions, Redirect } from '../../pipeline/outcome.ts';
import { cookieExpiry, type Session, type SessionWishes, touched } from '../../sessions/session.ts';
import type { User } from '../../users/user.ts';
import { answeredEvent } from './answered-event.ts';
import type { AskPipeline } from './ask-pipeline.ts';
import type { LoginRequest } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { ConsentQuestionOf } from './consent-question.ts';
import type { LivingSession } from './find-session.ts';
import { asked, type Prompt } from './login-prompts.ts';

/** What a request is answered with, once nothing stands between it and its user any more. */
export interface Granted {
  readonly session: Session;
  readonly user: User;
  /** What was asked for, or the part of it that the user allowed. */
  readonly scope: string;
  /** What tenant code adds to it. */
  readonly additions: Additions;
  /** The consent that the answer rests on: no answer where it was withdrawn meanwhile. */
  readonly consentId?: string;
  /** Of the login, or of the session that answered alone. */
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
  /** Sends the browser to a page that the user has to answer first; tenant code is not asked again afterwards. */
  readonly interact: (page: LoginPage, progress: Asked & { readonly additions: Additions }) => unknown;
  /** Sends the browser to a page that tenant code named, from where it comes back to /continue. False where the login has ended. */
  readonly leave: (redirect: Redirect, progress: Asked) => Promise<boolean>;
  /** The login under way, with its transaction if it has one; none where a session answered /authorize at once. */
  readonly login?: LoginUnderWay;
}

/** What the user was asked until now, and is asked next. */
interface Asked {
  readonly prompts: readonly Prompt[];
}

export interface LoginUnderWay {
  readonly state?: string;
  readonly hasLoggedIn: boolean;
  readonly hasConsented: boolean;
  /** When it was asked for; milliseconds of the epoch. */
  readonly initiatedAt?: number | undefined;
  readonly prompts: readonly Prompt[];
  /** What tenant code added before the user was asked something. */
  readonly additions?: Additions | undefined;
  /** The browser is back from another page. */
  readonly resumed?: Resumed;
}

interface Parts {
  readonly askPipeline: AskPipeline;
  readonly consentQuestion: ConsentQuestionOf;
  readonly sessionCookie: TenantCookie;
  readonly now: () => Date;
}

/**
 * The one way from a known user to the answer: of a living session at /authorize, of /authorize/resume after the login
 * pages, and of a device's confirmation. What must happen in between has its place here: rules and actions, then consent. True where there is a reply.
 */
export function createProceed({ askPipeline, consentQuestion, sessionCookie, now }: Parts) {
  return async function proceed(
    http: FastifyRequest,
    reply: FastifyReply,
    { request, living: found, answer, interact, leave, login }: Proceeding,
  ): Promise<boolean> {
    const allowed = await askPipeline(http, request, found, login);
    if (!allowed) return false;
    const prompts = login?.prompts ?? [];
    if (allowed.kind === 'redirect') return leave(allowed, { prompts: asked(prompts, 'redirect', now()) });
    const { living, additions } = allowed;
    const consent = await consentQuestion(http.tenant, request, living.user.userId);
    if (consent && (!consent.isAnswered || (request.prompts.has('consent') && !login?.hasConsented))) {
      if (request.prompts.has('none')) throw authorizeErrors.consentRequired();
      await interact('/u/consent', { additions, prompts: asked(prompts, 'consent', now()) });
      return true;
    }
    const event = answeredEvent(http, request, living, login, now());
    if (additions.session) keepCookie(http, reply, living.session, additions.session);
    return answer(http, reply, {
      session: living.session,
      user: living.user,
      // More may be granted to the user by the time the code is redeemed: the answer is good for what was allowed.
      scope: consent ? consent.scopes.join(' ') : request.scope,
      additions,
      ...(consent?.given && { consentId: consent.given.id }),
      ...(event && { event: withExecutions(event, additions) }),
      ...(login?.state !== undefined && { state: login.state }),
    });
  };

  /** The browser keeps its cookie as long as the session may last by now, or until it is closed. */
  function keepCookie(http: FastifyRequest, reply: FastifyReply, session: Session, wishes: SessionWishes): void {
    const { expiresAt, isPersistent } = { ...session, ...touched(http.tenant, session, now(), wishes) };
    // A session that this very request opened has a cookie that the browser did not send yet.
    const cookie = 'cookie' in session ? String(session.cookie) : sessionCookie.read(http);
    const isChanged = expiresAt.getTime() !== session.expiresAt.getTime() || isPersistent !== session.isPersistent;
    if (cookie && isChanged)
      sessionCookie.write(http, reply, cookie, cookieExpiry(http.tenant, { expiresAt, isPersistent }));
  }
}

function withExecutions(event: AuditEvent, { executions }: Additions): AuditEvent {
  return { ...event, details: { ...event.details, ...executionDetails(executions) } };
}

export type Proceed = ReturnType<typeof createProceed>;
