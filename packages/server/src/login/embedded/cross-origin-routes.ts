import type { FastifyInstance } from 'fastify';
import { DeclaredError } from '../../kit/errors.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import { bodyParameters, type Parameters } from '../../oauth/parameters.ts';
import type { EmbeddedClients } from './embedded-clients.ts';
import { embeddedLoginErrors } from './embedded-login-errors.ts';
import type { IssueLoginTicket } from './issue-login-ticket.ts';

interface Parts {
  readonly clients: EmbeddedClients;
  readonly issueLoginTicket: IssueLoginTicket;
}

const MAX_BODY_BYTES = 16_384;
const MAX_NAME = 128;
const CREDENTIAL_TYPES: ReadonlySet<string> = new Set(['password', 'http://auth0.com/oauth/grant-type/password-realm']);

/**
 * POST /co/authenticate: a password from a page of the application (auth0.js `login`, Lock), worth a ticket that the page
 * takes to /authorize (authentication-api section 10).
 */
export function crossOriginRoutes(app: FastifyInstance, { clients, issueLoginTicket }: Parts): void {
  app.post('/co/authenticate', { config: { errors: 'oauth' }, bodyLimit: MAX_BODY_BYTES }, async (http, reply) => {
    const parameters = bodyParameters(http);
    try {
      const client = await clients.find(http, parameters.get('client_id'));
      const credentialType = required(parameters, 'credential_type');
      if (!CREDENTIAL_TYPES.has(credentialType))
        throw embeddedLoginErrors.unsupportedCredential({ credentialType: credentialType.slice(0, MAX_NAME) });
      const { ticket, verifier } = await issueLoginTicket(http, reply, {
        client,
        realm: parameters.get('realm'),
        username: required(parameters, 'username'),
        password: required(parameters, 'password'),
      });
      return reply
        .header('cache-control', 'no-store')
        .send({ login_ticket: ticket, co_verifier: verifier, co_id: randomAlphanumeric(12) });
    } catch (error) {
      if (error instanceof DeclaredError && error.status < 500) {
        const known = { clientId: parameters.get('client_id'), userName: parameters.get('username') };
        await clients.recordRefusal(http, known, error);
      }
      throw error;
    }
  });
}

function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw embeddedLoginErrors.missing({ name });
  return value;
}
