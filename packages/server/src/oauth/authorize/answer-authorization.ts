import type { AuthorizationRequest } from './authorization-request.ts';
import type { IssueAnswer } from './issue-answer.ts';
import type { Answer } from './proceed.ts';
import type { Responder } from './respond.ts';

interface Parts {
  readonly issueAnswer: IssueAnswer;
  readonly responder: Responder;
}

/** The answer to an /authorize request: what its response_type names, at its redirect URI. */
export function createAuthorizationAnswer({ issueAnswer, responder }: Parts) {
  return function answerTo(request: AuthorizationRequest): Answer {
    return async (http, reply, granted) => {
      const { tenant, origin, requester } = http;
      const parameters = await issueAnswer({
        ...granted,
        tenant,
        origin,
        requester,
        request: { ...request, scope: granted.scope },
      });
      if (!parameters) return false;
      responder.respond(http, reply, request, parameters);
      return true;
    };
  };
}

export type AnswerAuthorization = ReturnType<typeof createAuthorizationAnswer>;
