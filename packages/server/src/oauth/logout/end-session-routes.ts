import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../../http/cookies.ts';
import { digest, equalSecrets } from '../../kit/digest.ts';
import type { SendPage } from '../../login/send-page.ts';
import { isAlive, type Session } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import type { User } from '../../users/user.ts';
import { authorizePageErrors } from '../authorize/authorize-errors.ts';
import { bodyParameters, type Parameters, queryParameters } from '../parameters.ts';
import type { EndSessionRequest, ReadEndSessionRequest, SessionHint } from './end-session-request.ts';
import type { FinishLogout } from './finish-logout.ts';

interface Parts {
  readonly readRequest: ReadEndSessionRequest;
  readonly finishLogout: FinishLogout;
  readonly sessionCookie: TenantCookie;
  readonly sessions: Pick<SessionStore, 'findByCookie'>;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

const MAX_FORM_BYTES = 65_536;
/** What the question takes along; the answer to it is checked like the request itself. */
const CARRIED = [
  'client_id',
  'post_logout_redirect_uri',
  'state',
  'id_token_hint',
  'logout_hint',
  'ui_locales',
  'federated',
];

/**
 * GET and POST /oidc/logout (OpenID Connect RP-Initiated Logout 1.0). A link from anywhere ends no session by itself: where
 * neither an ID token nor the session's id shows that the application knows the session, the user is asked (section 2).
 */
export function endSessionRoutes(app: FastifyInstance, parts: Parts): void {
  const { readRequest, finishLogout, sessionCookie, sendPage } = parts;
  const options = { config: { errors: 'page' }, bodyLimit: MAX_FORM_BYTES } as const;

  app.get('/oidc/logout', options, (request, reply) => endSession(request, reply, () => queryParameters(request)));
  app.post('/oidc/logout', options, (request, reply) => endSession(request, reply, () => bodyParameters(request)));

  /** The answer to the question. */
  app.post('/u/logout', options, async (request, reply) => {
    const parameters = bodyParameters(request);
    const asked = await read(request, parameters, () => checkForm(request, parameters));
    if (parameters.get('action') === 'accept') return finishLogout.finish(request, reply, asked);
    const { client } = asked;
    reply.header('cache-control', 'no-store');
    return sendPage(request, reply, 'logout-aborted', {
      ...(client && { clientName: client.name }),
      ...(client?.initiateLoginUri && { clientUrl: client.initiateLoginUri }),
    });
  });

  async function endSession(
    request: FastifyRequest,
    reply: FastifyReply,
    parametersOf: () => Parameters,
  ): Promise<FastifyReply> {
    const parameters = parametersOf();
    const asked = await read(request, parameters);
    const cookie = sessionCookie.read(request);
    const session = cookie === undefined ? undefined : await livingSession(request, cookie);
    if (!cookie || !session || isKnown(session, asked.hint) || !settingsOf(request.tenant).asksBeforeLogout)
      return finishLogout.finish(request, reply, asked);
    return ask(request, reply, parameters, asked, session, cookie);
  }

  function read(request: FastifyRequest, parameters: Parameters, check = () => {}): Promise<EndSessionRequest> {
    return finishLogout.orRecord(request, parameters.get('post_logout_redirect_uri'), async (known) => {
      check();
      return readRequest(request, parameters, known);
    });
  }

  /** A form of another site ends nothing (attack L6). */
  function checkForm(request: FastifyRequest, parameters: Parameters): void {
    const { origin } = request.headers;
    if (origin !== undefined && origin !== request.origin) throw authorizePageErrors.foreignOrigin();
    const cookie = sessionCookie.read(request);
    if (cookie && !equalSecrets(parameters.get('_csrf') ?? '', csrfToken(cookie))) throw authorizePageErrors.expired();
  }

  async function livingSession({ tenant }: FastifyRequest, cookie: string): Promise<Session | undefined> {
    const session = await parts.sessions.findByCookie(tenant.tenantId, cookie);
    return session && isAlive(session, tenant, parts.now()) ? session : undefined;
  }

  async function ask(
    request: FastifyRequest,
    reply: FastifyReply,
    parameters: Parameters,
    { client }: EndSessionRequest,
    session: Session,
    cookie: string,
  ): Promise<FastifyReply> {
    const user = await parts.findUser(request.tenant.tenantId, session.userId);
    const carried = CARRIED.flatMap((name) => {
      const value = parameters.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    reply.header('cache-control', 'no-store');
    return sendPage(request, reply, 'log-out', {
      action: '/u/logout',
      fields: { ...Object.fromEntries(carried), _csrf: csrfToken(cookie) },
      ...(client?.logoUri && { clientLogoUrl: client.logoUri }),
      userName: user?.email ?? user?.username ?? user?.name ?? session.userId,
    });
  }
}

/** An ID token without a session's id (of the password grant) shows that the application knows the user. */
function isKnown(session: Session, hint: SessionHint | undefined): boolean {
  if (!hint) return false;
  return hint.sessionId === undefined ? hint.userId === session.userId : hint.sessionId === session.sessionId;
}

/** Only a page of ours could have got it: it comes of the cookie, which no script and no other site can read. */
function csrfToken(cookie: string): string {
  return digest(`logout ${cookie}`);
}
