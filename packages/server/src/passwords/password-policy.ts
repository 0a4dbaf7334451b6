import type { DeclaredError } from '../kit/errors.ts';
import { isCommonPassword } from './common-passwords.ts';
import { passwordErrors } from './password-errors.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { type PasswordOptions, passwordRequirements } from './password-options.ts';
import { passwordRules, policyText } from './password-rules.ts';
import { isUsablePassword, MAX_PASSWORD_BYTES } from './password-text.ts';
import { containsPersonalData } from './personal-data.ts';

/** A new password's owner as the wire has it (email, name, user_metadata …); what is unknown is left out. */
export type PasswordOwner = Readonly<Record<string, unknown>>;

/** Throws what is wrong with a new password: strength first, then the dictionary, then personal data. */
export function checkPassword(options: PasswordOptions, password: string, owner: PasswordOwner): void {
  const requirements = passwordRequirements(options);
  const rules = passwordRules(requirements, password);
  if (!rules.every((rule) => rule.verified)) {
    throw refusal('weak', 'PasswordStrengthError', {
      policy: policyText(rules),
      description: { rules, verified: false },
    });
  }
  if (!isUsablePassword(password)) throw refusal('unusable', 'PasswordStrengthError');
  if (requirements.dictionary && isCommonPassword(password, requirements.dictionary.custom)) {
    throw refusal('common', 'PasswordDictionaryError');
  }
  if (containsPersonalData(password, owner, requirements.personalFields)) {
    throw refusal('personal', 'PasswordNoUserInfoError');
  }
}

/** The former hashes of one user, newest first, the present one included: whoever stores them keeps `historySize` of them. */
export interface PasswordHistory {
  readonly tenantId: string;
  readonly hashes: readonly string[];
}

/** How many hashes of a user the store keeps; 0 where the connection keeps none. */
export function historySize(options: PasswordOptions): number {
  return passwordRequirements(options).historySize;
}

/** Throws when a new password is one that its owner had. One after the other, so that a change takes one place in the queue. */
export async function checkPasswordHistory(
  options: PasswordOptions,
  password: string,
  history: PasswordHistory,
  hasher: Pick<PasswordHasher, 'verify'>,
): Promise<void> {
  for (const stored of history.hashes.slice(0, historySize(options))) {
    const { valid } = await hasher.verify(history.tenantId, password, stored);
    if (valid) throw refusal('usedBefore', 'PasswordHistoryError');
  }
}

type Refusal = 'weak' | 'common' | 'personal' | 'usedBefore' | 'unusable';

/** `message` and `description` both, since SDKs of different ages read either. */
function refusal(kind: Refusal, name: string, extra: Readonly<Record<string, unknown>> = {}): DeclaredError {
  const { message } = passwordErrors[kind]({ bytes: MAX_PASSWORD_BYTES });
  return passwordErrors[kind](
    { bytes: MAX_PASSWORD_BYTES },
    { extra: { name, message, description: message, ...extra } },
  );
}
