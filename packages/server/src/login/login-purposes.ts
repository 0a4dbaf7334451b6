import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Client } from '../clients/client.ts';
import type { DeclaredError } from '../kit/errors.ts';
import type { AnswerAuthorization } from '../oauth/authorize/answer-authorization.ts';
import type { LoginRequest } from '../oauth/authorize/authorization-request.ts';
import type { AuthorizationChecks } from '../oauth/authorize/authorize.ts';
import type { Answer } from '../oauth/authorize/proceed.ts';
import type { Responder } from '../oauth/authorize/respond.ts';
import type { LoginPurposeName, LoginTransaction } from './login-transaction-store.ts';

/** What logins are for. The pages know nothing of redirect URIs or devices: each purpose says how it is checked, answered and refused. */
export type LoginPurposes = Readonly<Record<LoginPurposeName, LoginPurpose>>;

export interface LoginPurpose {
  /** Who asks. What fails is told on a page: there is nobody yet whom it could be told. */
  open(http: FastifyRequest, request: LoginTransaction['request']): Promise<OpenPurpose>;
}

export interface OpenPurpose {
  readonly client: Client;
  /** The request, checked anew at each step; what fails ends the login. */
  check(): Promise<{ readonly request: LoginRequest; readonly answer: Answer }>;
  /** Tells who asked that there will be no answer. */
  refuse(http: FastifyRequest, reply: FastifyReply, error: DeclaredError): FastifyReply | Promise<FastifyReply>;
}

interface AuthorizeParts {
  readonly checks: AuthorizationChecks;
  readonly responder: Responder;
  readonly answerAuthorization: AnswerAuthorization;
}

/** An /authorize request: answered and refused at its redirect URI. */
export function authorizePurpose({ checks, responder, answerAuthorization }: AuthorizeParts): LoginPurpose {
  return {
    async open({ tenant }, values) {
      const form = { values, repeated: [], wellFormed: true };
      const address = await checks.returnAddress(tenant, form);
      return {
        client: address.client,
        async check() {
          const request = await checks.authorizationRequest(tenant, address, form);
          return { request, answer: answerAuthorization(request) };
        },
        refuse: (http, reply, error) => responder.respondError(http, reply, address, error),
      };
    },
  };
}
