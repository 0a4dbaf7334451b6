import type { AuthorizationRequest } from './authorization-request.ts';
import type { IssueCode } from './issue-code.ts';
import type { Answer } from './proceed.ts';
import type { Responder } from './respond.ts';

interface Parts {
  readonly issueCode: IssueCode;
  readonly responder: Responder;
}

/** The answer to an /authorize request: a code at its redirect URI. */
export function createAuthorizationAnswer({ issueCode, responder }: Parts) {
  return function answerTo(request: AuthorizationRequest): Answer {
    return async (http, reply, granted) => {
      const code = await issueCode({ tenant: http.tenant, request, ...granted });
      if (code === undefined) return false;
      responder.respond(http, reply, request, { code });
      return true;
    };
  };
}

export type AnswerAuthorization = ReturnType<typeof createAuthorizationAnswer>;
