import { format } from 'node:util';
import type { CharacterType, PasswordRequirements } from './password-options.ts';

/** One rule as it goes over the wire, in `description.rules`: clients fill `format` into `message`, or translate by `code`. */
export interface PasswordRule {
  readonly message: string;
  readonly format?: readonly (string | number)[];
  readonly code: string;
  readonly items?: readonly PasswordRule[];
  readonly verified: boolean;
}

/** Every rule in force, with what this password does to it. */
export function passwordRules(requirements: PasswordRequirements, password: string): PasswordRule[] {
  const { maxBytes, maxIdentical, maxSequential } = requirements;
  return [
    lengthRule(requirements.minLength, password),
    ...(requirements.characterTypes.length > 0 ? [typesRule(requirements, password)] : []),
    ...(maxIdentical !== undefined ? [identicalRule(maxIdentical, password)] : []),
    ...(maxSequential !== undefined ? [sequentialRule(maxSequential, password)] : []),
    ...(maxBytes !== undefined ? [maxLengthRule(maxBytes, password)] : []),
  ];
}

/** The rules as the text that Auth0 sends as `policy`: a line for each, items indented under theirs. */
export function policyText(rules: readonly PasswordRule[], indent = ''): string {
  return rules
    .map((rule) => {
      const line = `${indent}* ${format(rule.message, ...(rule.format ?? []))}`;
      return rule.items ? `${line}\n${policyText(rule.items, `${indent} `)}` : line;
    })
    .join('\n');
}

const CHARACTER_TYPES: Record<CharacterType, { message: string; code: string; pattern: RegExp }> = {
  lowercase: { message: 'lower case letters (a-z)', code: 'lowerCase', pattern: /[a-z]/ },
  uppercase: { message: 'upper case letters (A-Z)', code: 'upperCase', pattern: /[A-Z]/ },
  number: { message: 'numbers (i.e. 0-9)', code: 'numbers', pattern: /[0-9]/ },
  // The printable ASCII characters that are neither letter nor digit, space included (OWASP's list).
  special: { message: 'special characters (e.g. !@#$%^&*)', code: 'specialCharacters', pattern: /[ -/:-@[-`{-~]/ },
};

function lengthRule(minLength: number, password: string): PasswordRule {
  const verified = password.length >= minLength;
  if (minLength <= 1) return { message: 'Non-empty password required', code: 'nonEmpty', verified };
  return { message: 'At least %d characters in length', format: [minLength], code: 'lengthAtLeast', verified };
}

function typesRule({ characterTypes, typesNeeded }: PasswordRequirements, password: string): PasswordRule {
  const items = characterTypes.map((type) => {
    const { message, code, pattern } = CHARACTER_TYPES[type];
    return { message, code, verified: pattern.test(password) };
  });
  const verified = items.filter((item) => item.verified).length >= typesNeeded;
  if (typesNeeded === items.length) return { message: 'Should contain:', code: 'shouldContain', items, verified };
  return {
    message: 'Contain at least %d of the following %d types of characters:',
    format: [typesNeeded, items.length],
    code: 'containsAtLeast',
    items,
    verified,
  };
}

function identicalRule(max: number, password: string): PasswordRule {
  return {
    message: 'No more than %d identical characters in a row (e.g., "%s" not allowed)',
    format: [max, 'a'.repeat(max + 1)],
    code: 'identicalChars',
    verified: longestRun(password, (previous, next) => (previous === next ? 'same' : undefined)) <= max,
  };
}

function sequentialRule(max: number, password: string): PasswordRule {
  return {
    message: 'No more than %d sequential alphanumeric characters (e.g., "%s" not allowed)',
    format: [max, 'abcdefghij'.slice(0, max + 1)],
    code: 'sequentialChars',
    verified: longestRun(password, direction) <= max,
  };
}

function maxLengthRule(maxBytes: number, password: string): PasswordRule {
  const verified = Buffer.byteLength(password) <= maxBytes;
  return { message: 'At most %d bytes in length', format: [maxBytes], code: 'lengthAtMost', verified };
}

/** The length of the longest stretch in which every step is of one kind. */
function longestRun(password: string, kindOf: (previous: string, next: string) => string | undefined): number {
  let [longest, run, kind] = [1, 1, undefined as string | undefined];
  for (let index = 1; index < password.length; index++) {
    const step = kindOf(password.charAt(index - 1), password.charAt(index));
    run = step === undefined ? 1 : step === kind ? run + 1 : 2;
    kind = step;
    longest = Math.max(longest, run);
  }
  return longest;
}

function direction(previous: string, next: string): string | undefined {
  if (!/^[A-Za-z0-9]{2}$/.test(previous + next)) return undefined;
  const step = next.charCodeAt(0) - previous.charCodeAt(0);
  return step === 1 ? 'up' : step === -1 ? 'down' : undefined;
}
