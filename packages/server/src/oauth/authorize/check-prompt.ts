import type { Prompt } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';

const PROMPTS: readonly Prompt[] = ['none', 'login', 'consent', 'select_account'];

/** OpenID Connect Core section 3.1.2.1: several may be asked for, and `none` stands alone. */
export function checkPrompt(prompt: string | undefined): ReadonlySet<Prompt> {
  const values = new Set((prompt ?? '').split(' ').filter(Boolean));
  const prompts = new Set(PROMPTS.filter((known) => values.has(known)));
  if (prompts.size < values.size)
    throw authorizeErrors.invalidRequest({ reason: 'prompt must be none, login, consent or select_account' });
  if (prompts.has('none') && prompts.size > 1)
    throw authorizeErrors.invalidRequest({ reason: 'prompt=none may not be combined with other prompts' });
  return prompts;
}

export function checkMaxAge(maxAge: string | undefined): number | undefined {
  if (maxAge === undefined) return undefined;
  if (!/^\d{1,10}$/.test(maxAge))
    throw authorizeErrors.invalidRequest({ reason: 'max_age must be a number of seconds' });
  return Number(maxAge);
}
