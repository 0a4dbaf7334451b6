import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorDescription } from '../../http/render-error.ts';
import type { DeclaredError } from '../../kit/errors.ts';
import type { SendPage } from '../../login/send-page.ts';
import type { ReturnAddress } from './authorization-request.ts';
import { webMessage } from './web-message.ts';

/** Answers an /authorize request at its redirect URI, in the response mode that it asked for. */
export function createResponder({ sendPage }: { sendPage: SendPage }) {
  async function respond(
    request: FastifyRequest,
    reply: FastifyReply,
    address: ReturnAddress,
    answer: Readonly<Record<string, string>>,
  ): Promise<FastifyReply> {
    const parameters = {
      ...answer,
      ...(address.state !== undefined && { state: address.state }),
      // RFC 9207: the client sees who answers, so that no other server's answer is mixed up with ours.
      ...(sendsIssuer(request) && { iss: `${request.origin}/` }),
    };
    reply.header('cache-control', 'no-store');
    switch (address.responseMode) {
      case 'form_post':
        return sendPage(request, reply, 'form-post', {
          redirectUri: address.redirectUri,
          parameters,
          clientName: address.client.name,
        });
      case 'web_message': {
        const { html, headers } = webMessage(address.redirectUri, parameters);
        return reply.headers(headers).send(html);
      }
      case 'fragment':
        return redirect(reply, `${address.redirectUri}#${new URLSearchParams(parameters)}`);
      case 'query':
        return redirect(reply, withQuery(address.redirectUri, parameters));
    }
  }

  async function respondError(
    request: FastifyRequest,
    reply: FastifyReply,
    address: ReturnAddress,
    error: DeclaredError,
  ): Promise<FastifyReply> {
    return respond(request, reply, address, {
      error: error.code ?? 'server_error',
      error_description: errorDescription(error),
    });
  }

  return { respond, respondError };
}

export type Responder = ReturnType<typeof createResponder>;

export function sendsIssuer({ tenant }: Pick<FastifyRequest, 'tenant'>): boolean {
  return tenant.settings.authorization_response_iss_parameter_supported !== false;
}

function redirect(reply: FastifyReply, location: string): FastifyReply {
  return reply.header('referrer-policy', 'no-referrer').redirect(location, 302);
}

/** Adds to the query and leaves the rest of a registered URI to the letter: custom schemes have no parser. */
function withQuery(uri: string, parameters: Readonly<Record<string, string>>): string {
  const [beforeFragment = uri] = uri.split('#', 1);
  const separator = beforeFragment.includes('?')
    ? beforeFragment.endsWith('?') || beforeFragment.endsWith('&')
      ? ''
      : '&'
    : '?';
  return `${beforeFragment}${separator}${new URLSearchParams(parameters)}`;
}
