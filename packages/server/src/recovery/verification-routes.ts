import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DeclaredError } from '../kit/errors.ts';
import type { RecoveryResult } from '../login/pages/recovery-result-page.ts';
import type { SendPage } from '../login/send-page.ts';
import type { RecordEvent } from '../logs/event.ts';
import { queryForm } from '../oauth/parameters.ts';
import { type FindTicket, type FoundTicket, ticketEvent } from './find-ticket.ts';
import { isTicket, ticketErrors } from './ticket.ts';
import type { VerifyEmail } from './verify-email.ts';
import { applicationAddress, withResult } from './way-back.ts';

interface Parts {
  readonly findTicket: FindTicket;
  readonly verifyEmail: VerifyEmail;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
}

/**
 * GET /u/email-verification?ticket=: opening the link proves the address, as with Auth0 (docs/decisions/0018-recovery.md). Mail
 * programs and scanners open links before people do: a link that was used says that all is well, and does nothing.
 */
export function verificationRoutes(app: FastifyInstance, parts: Parts): void {
  const { findTicket, verifyEmail, recordAlone, sendPage } = parts;

  app.get('/u/email-verification', { config: { errors: 'page' } }, async (http, reply) => {
    const { ticket: given } = queryForm(http).values;
    let found: FoundTicket | undefined;
    try {
      found = await findTicket(http.tenant.tenantId, 'email-verification', given);
      if (found.ticket.usedAt !== undefined) return answer(http, reply, 'email-already-verified', found);
      await verifyEmail(http.tenant.tenantId, found, http.requester);
      return answer(http, reply, 'email-verified', found);
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      if (isTicket(given)) await recordFailure(http, error, found);
      const isExpired = error.code === ticketErrors.expired().code;
      return answer(http, reply, isExpired ? 'verification-link-expired' : 'verification-link-invalid', undefined);
    }
  });

  /** To where an operator wished, else to a page with a way back. Nobody is sent anywhere by a link that is none. */
  async function answer(
    http: FastifyRequest,
    reply: FastifyReply,
    result: RecoveryResult,
    found: FoundTicket | undefined,
  ): Promise<FastifyReply> {
    // The address with the ticket must reach no other site (attack R2).
    reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    if (found?.ticket.resultUrl !== undefined) {
      const { ticket } = found;
      const email = ticket.includesEmail ? ticket.email : undefined;
      return reply.redirect(
        withResult(found.ticket.resultUrl, { success: true, message: MESSAGES[result] ?? '', email }),
        302,
      );
    }
    const client = found?.client;
    const clientUrl = applicationAddress(http.tenant, client);
    return sendPage(
      http,
      reply,
      'recovery-result',
      { result, ...(client && { clientName: client.name }), ...(clientUrl && { clientUrl }) },
      found ? 200 : 400,
    );
  }

  async function recordFailure(
    http: FastifyRequest,
    error: DeclaredError,
    found: FoundTicket | undefined,
  ): Promise<void> {
    await recordAlone(http.tenant.tenantId, {
      ...http.requester,
      ...(found && ticketEvent(found)),
      type: 'emailVerificationFailed',
      description: error.message,
      details: { title: 'Verify email', error: { message: error.message } },
    });
  }
}

/** Auth0's sentences. */
const MESSAGES: Partial<Record<RecoveryResult, string>> = {
  'email-verified': 'Your email was verified. You can continue using the application.',
  'email-already-verified': 'This account is already verified.',
};
