import { DeclaredError, defineErrors } from '../kit/errors.ts';

export const pipelineErrors = defineErrors({
  /** Whatever went wrong in tenant code: its words are for its author, in the log. */
  failed: { status: 403, code: 'access_denied', message: 'The login could not be completed' },
  /** Nothing was wrong with this login: another attempt may succeed. */
  unavailable: {
    status: 403,
    code: 'temporarily_unavailable',
    message: 'The login could not be completed at the moment. Try again later',
  },
  interactionRequired: {
    status: 403,
    code: 'interaction_required',
    message: 'Interaction required',
  },
  claimsTooLarge: {
    status: 403,
    code: 'access_denied',
    message: 'The login could not be completed: its claims are too large',
  },
  metadataTooLarge: {
    status: 403,
    code: 'access_denied',
    message: 'The login could not be completed: the metadata of the user would be too large',
  },
  wrongSubject: { status: 403, code: 'access_denied', message: 'The login could not be completed' },
});

const LONGEST_DESCRIPTION = 1_000;
/** RFC 6749 section 4.1.2.1, and short. */
const CODE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** A refusal in the words of tenant code, which are meant for the application. */
export function deniedBy(code: string | undefined, description: string): DeclaredError {
  const known = code !== undefined && CODE.test(code) ? code : 'access_denied';
  const text = withoutControls(description).slice(0, LONGEST_DESCRIPTION);
  return new DeclaredError({ status: 403, code: known, message: text }, text, {});
}

/** Words of tenant code, as they may stand in answers. */
export function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}
