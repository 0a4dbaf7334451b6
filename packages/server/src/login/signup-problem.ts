import type { Connection } from '../connections/connection.ts';
import { isOfScript } from '../custom-databases/script-failure.ts';
import { DeclaredError, defineErrors } from '../kit/errors.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { type PasswordOptions, passwordRequirements } from '../passwords/password-options.ts';
import type { FormErrors } from './pages/page.ts';
import type { PasswordRules } from './pages/password-rules.ts';
import type { SignUpError } from './pages/sign-up-page.ts';

type Errors = FormErrors<SignUpError, 'email' | 'username' | 'password'>;

export const signUpErrors = defineErrors({
  disabled: { status: 400, code: 'public_signup_disabled', message: 'Public signup is disabled' },
});

const PASSWORD_PROBLEMS: Readonly<Record<string, SignUpError>> = {
  PasswordStrengthError: 'password-too-weak',
  PasswordDictionaryError: 'password-too-common',
  PasswordNoUserInfoError: 'password-has-user-info',
};

/** What a refused sign-up tells the user. A taken address gets the general sentence: it must not tell who has an account (L1). */
export function signUpProblem(error: unknown): Errors | undefined {
  if (!(error instanceof DeclaredError) || error.status >= 500 || error.status === 429) return undefined;
  if (isOfScript(error)) return { form: ['temporarily-unavailable'] };
  if (error.code === signUpErrors.disabled().code) return { form: ['signup-disabled'] };
  if (error.code === authorizePageErrors.expired().code) return undefined;
  const { friendly_message: words } = error.extra;
  if (error.code === 'extensibility_error')
    return { form: [typeof words === 'string' ? { text: words } : 'invalid-signup'] };
  const name = error.extra.name;
  const password = typeof name === 'string' ? PASSWORD_PROBLEMS[name] : undefined;
  if (password) return { fields: { password } };
  if (/missing property: email|email/i.test(error.message) && error.status === 400)
    return { fields: { email: /missing/i.test(error.message) ? 'no-email' : 'invalid-email-format' } };
  if (/username/i.test(error.message) && error.status === 400)
    return { fields: { username: /missing/i.test(error.message) ? 'no-username' : 'invalid-username' } };
  return error.status === 409 || error.status === 400 ? { form: ['invalid-signup'] } : undefined;
}

/** The connection's policy as the page lists it. */
export function passwordRulesOf(connection: Connection): PasswordRules {
  const { minLength, characterTypes, typesNeeded, maxIdentical } = passwordRequirements(
    connection.options as PasswordOptions,
  );
  return {
    minLength,
    groups: characterTypes.map((type) => GROUPS[type]),
    groupsNeeded: typesNeeded,
    ...(maxIdentical !== undefined && { maxIdenticalInRow: maxIdentical }),
  };
}

const GROUPS = { lowercase: 'lowerCase', uppercase: 'upperCase', number: 'numbers', special: 'special' } as const;
