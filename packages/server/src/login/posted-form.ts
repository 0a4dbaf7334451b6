import type { FastifyRequest } from 'fastify';
import { FormBody } from '../http/body-parsers.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';

/** The fields of a form that one of our own pages posted: from our own origin, each once (attack L6). */
export function postedForm({ headers, origin, body }: FastifyRequest): Readonly<Record<string, string>> {
  if (headers.origin !== undefined && headers.origin !== origin) throw authorizePageErrors.foreignOrigin();
  const form = body instanceof FormBody ? body.form : undefined;
  if (!form?.wellFormed || form.repeated.length > 0)
    throw authorizePageErrors.malformed({ reason: 'The form is malformed' });
  return form.values;
}
