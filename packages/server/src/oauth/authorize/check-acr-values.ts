import type { Prompt } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';

const MULTIFACTOR = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';

/**
 * A client that asks for a second factor gets no answer without one (attack T5). There are no factors yet: silently it
 * hears what auth0-spa-js knows, and in the open that nobody can give one. Other values are wishes (OpenID Connect Core
 * section 3.1.2.1).
 */
export function checkAcrValues(acrValues: string | undefined, prompts: ReadonlySet<Prompt>): void {
  if (!acrValues?.split(' ').includes(MULTIFACTOR)) return;
  throw prompts.has('none') ? authorizeErrors.multifactorRequired() : authorizeErrors.noFactor();
}
