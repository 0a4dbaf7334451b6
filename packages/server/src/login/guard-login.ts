import type { FastifyReply, FastifyRequest } from 'fastify';
import { DeclaredError } from '../kit/errors.ts';
import type { RecordEvent } from '../logs/event.ts';
import { authorizeErrors } from '../oauth/authorize/authorize-errors.ts';
import type { Responder } from '../oauth/authorize/respond.ts';
import type { LoginContext, LoginContexts } from './login-context.ts';

interface Parts {
  readonly contexts: Pick<LoginContexts, 'open'>;
  readonly responder: Responder;
  readonly recordAlone: RecordEvent;
}

const TOLD_TO_CLIENT: ReadonlySet<string> = new Set([
  authorizeErrors.userBlocked().message,
  authorizeErrors.noConnection().message,
]);

/** Runs a login step; what ends the whole login is told to the application, the rest to the user on a page. */
export function guardLogin({ contexts, responder, recordAlone }: Parts) {
  return async function guard(
    http: FastifyRequest,
    reply: FastifyReply,
    state: string | undefined,
    step: (context: LoginContext) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const context = await contexts.open(http, state);
    try {
      return await step(context);
    } catch (error) {
      if (!(error instanceof DeclaredError) || !TOLD_TO_CLIENT.has(error.message)) throw error;
      const { client } = context.request;
      await recordAlone(http.tenant.tenantId, {
        ...http.requester,
        type: 'loginFailed',
        description: error.message,
        clientId: client.clientId,
        clientName: client.name,
        details: { error: { message: error.message, oauthError: error.code } },
      });
      return responder.respondError(http, reply, context.request, error);
    }
  };
}
