import type { FastifyInstance } from 'fastify';
import { parseJson } from '../kit/parse-json.ts';
import { type Form, parseForm } from './form.ts';
import { requestErrors } from './render-error.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A form body as it was read: endpoints look for repeated and malformed parameters themselves. */
export class FormBody {
  readonly form: Form;
  constructor(form: Form) {
    this.form = form;
  }
}

/** JSON (strict UTF-8, no `__proto__`) and forms; every other content type is refused with 415. */
export function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => (body.length === 0 ? undefined : readJson(decodeUtf8(body))),
  );
  app.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => new FormBody(parseForm(decodeUtf8(body))),
  );
}

function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw requestErrors.malformed({ reason: 'the body is not valid UTF-8' }, { cause });
  }
}

function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw requestErrors.malformed({ reason: 'the body is not valid JSON' }, { cause });
  }
}
