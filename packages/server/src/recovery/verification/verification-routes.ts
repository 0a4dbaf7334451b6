import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOfScript } from '../../custom-databases/script-failure.ts';
import { DeclaredError } from '../../kit/errors.ts';
import type { RecoveryResult } from '../../login/pages/recovery-result-page.ts';
import type { SendPage } from '../../login/send-page.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { explanationOf } from '../../logs/explain-error.ts';
import { queryForm } from '../../oauth/parameters.ts';
import { type FindTicket, type FoundTicket, ticketEvent, type Verified } from '../find-ticket.ts';
import { isTicket, ticketErrors } from '../ticket.ts';
import { applicationAddress, withResult } from '../way-back.ts';
import type { VerifyEmail } from './verify-email.ts';

interface Parts {
  readonly findTicket: FindTicket;
  readonly findVerifiedUser: (tenantId: string, given: string | undefined) => Promise<Verified | undefined>;
  readonly verifyEmail: VerifyEmail;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
}

/**
 * GET /u/email-verification?ticket=: opening the link proves the address, as with Auth0 (docs/decisions/0018-recovery.md). Mail
 * programs and scanners open links before people do: a link that was used says that all is well, and does nothing.
 */
export function verificationRoutes(app: FastifyInstance, parts: Parts): void {
  const { findTicket, findVerifiedUser, verifyEmail, recordAlone, sendPage } = parts;

  app.get('/u/email-verification', { config: { errors: 'page' } }, async (http, reply) => {
    const { ticket: given } = queryForm(http).values;
    let found: FoundTicket | undefined;
    try {
      found = await findTicket(http.tenant.tenantId, 'email-verification', given);
      if (found.ticket.usedAt !== undefined) return answer(http, reply, 'email-already-verified', found);
      await verifyEmail(http.tenant, found, http.requester);
      return answer(http, reply, 'email-verified', found);
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      // A second mail was asked for and opened: the first one is old, and all is well.
      const verified = await findVerifiedUser(http.tenant.tenantId, given);
      if (verified) return tell(http, reply, 'email-already-verified', verified);
      if (isTicket(given)) await recordFailure(http, error, found);
      if (isOfScript(error)) throw error;
      const isExpired = error.code === ticketErrors.expired().code;
      return tell(http, reply, isExpired ? 'verification-link-expired' : 'verification-link-invalid', undefined);
    }
  });

  /** To where an operator wished, else to a page with a way back. Nobody is sent anywhere by a link that is none. */
  async function answer(
    http: FastifyRequest,
    reply: FastifyReply,
    result: RecoveryResult,
    found: FoundTicket,
  ): Promise<FastifyReply> {
    const { ticket } = found;
    if (ticket.resultUrl === undefined) return tell(http, reply, result, found);
    const email = ticket.includesEmail ? ticket.email : undefined;
    return unreferred(reply).redirect(
      withResult(ticket.resultUrl, { success: true, message: MESSAGES[result] ?? '', email }),
      302,
    );
  }

  function tell(
    http: FastifyRequest,
    reply: FastifyReply,
    result: RecoveryResult,
    found: (Verified & Partial<FoundTicket>) | undefined,
  ): Promise<FastifyReply> {
    const client = found?.client;
    const clientUrl = applicationAddress(http.tenant, client);
    http.visit = { uiLocales: found?.ticket.language };
    return sendPage(
      http,
      unreferred(reply),
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
      details: { title: 'Verify email', error: { message: error.message }, ...explanationOf(error) },
    });
  }
}

/** The address with the ticket must reach no other site (attack R2). */
function unreferred(reply: FastifyReply): FastifyReply {
  return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
}

/** Auth0's sentences. */
const MESSAGES: Partial<Record<RecoveryResult, string>> = {
  'email-verified': 'Your email was verified. You can continue using the application.',
  'email-already-verified': 'This account is already verified.',
};
