import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPasswordResetOpen } from '../connections/connection.ts';
import { mailLanguage } from '../email/mail-language.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import type { RequestRate } from '../recovery/request-rate.ts';
import type { RequestReset } from '../recovery/request-reset.ts';
import { databaseErrors } from './database-errors.ts';
import { bodyOf, type DatabaseRequest, type ReadDatabaseRequest, requiredText, text } from './database-request.ts';

interface Parts {
  readonly readRequest: ReadDatabaseRequest;
  readonly requestReset: RequestReset;
  readonly rate: RequestRate;
  readonly recordAlone: RecordEvent;
}

const SENT = "We've just sent you an email to reset your password.";
const CHALLENGES = ['/dbconnections/signup/challenge', '/dbconnections/change_password/challenge'];

/** POST /dbconnections/change_password: sends the link; a `password` that old SDKs send along counts for nothing. */
export function databaseChangePasswordRoutes(app: FastifyInstance, parts: Parts): void {
  const { readRequest, requestReset, rate, recordAlone } = parts;

  app.post('/dbconnections/change_password', { config: { errors: 'database' } }, async (http, reply) => {
    let request: DatabaseRequest | undefined;
    try {
      request = await readRequest(http);
      await sendLink(http, request);
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      if (request)
        await recordAlone(http.tenant.tenantId, {
          ...eventOf(http, request),
          type: 'passwordChangeRequestFailed',
          description: error.message,
        });
      return sendFailure(reply, error);
    }
    return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(SENT);
  });

  async function sendLink(http: FastifyRequest, request: DatabaseRequest): Promise<void> {
    const { body, client, connection } = request;
    const identifier = (text(body, 'email') ?? text(body, 'username') ?? requiredText(body, 'email')).trim();
    if (!isPasswordResetOpen(connection)) throw databaseErrors.resetDisabled();
    if (!(await rate.take(http.tenant.tenantId, http.requester.ip, identifier))) throw databaseErrors.tooMany();
    const event = eventOf(http, request);
    const language = mailLanguage(http.tenant, http.headers);
    await requestReset({ tenant: http.tenant, client, connection, identifier, language, event });
  }

  /** Whether a form needs a captcha first: it never does. */
  for (const path of CHALLENGES) {
    app.post(path, { config: { errors: 'database' } }, async (http, reply) => {
      bodyOf(http);
      return reply.header('cache-control', 'no-store').send({ required: false });
    });
  }
}

/** Auth0 answers this endpoint's mistakes in a form of its own: `{"error":"connection not found"}`. */
function sendFailure(reply: FastifyReply, error: DeclaredError): FastifyReply {
  const body =
    error.status === 429
      ? { error: error.code, error_description: error.message }
      : { error: error.message.replace(/^Missing required parameter: (.*)$/, '$1 is required') };
  return reply.code(error.status).headers(error.headers).header('cache-control', 'no-store').send(body);
}

function eventOf(
  { requester }: FastifyRequest,
  { body, client, connection }: DatabaseRequest,
): Omit<AuditEvent, 'type'> {
  return {
    ...requester,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    details: { body },
  };
}
