import type { AuthorizationRequest } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';

const PROMPTS = new Set(['none', 'login', 'consent', 'select_account']);

/** OpenID Connect Core section 3.1.2.1: `none` stands alone. First-party consent is given, so `consent` asks for nothing. */
export function checkPrompt(prompt: string | undefined): AuthorizationRequest['prompt'] {
  const values = new Set((prompt ?? '').split(' ').filter(Boolean));
  for (const value of values) {
    if (!PROMPTS.has(value))
      throw authorizeErrors.invalidRequest({ reason: 'prompt must be none, login, consent or select_account' });
  }
  if (values.has('none')) {
    if (values.size > 1)
      throw authorizeErrors.invalidRequest({ reason: 'prompt=none may not be combined with other prompts' });
    return 'none';
  }
  if (values.has('login')) return 'login';
  return values.has('select_account') ? 'select_account' : undefined;
}

export function checkMaxAge(maxAge: string | undefined): number | undefined {
  if (maxAge === undefined) return undefined;
  if (!/^\d{1,10}$/.test(maxAge))
    throw authorizeErrors.invalidRequest({ reason: 'max_age must be a number of seconds' });
  return Number(maxAge);
}
