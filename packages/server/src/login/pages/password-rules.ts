import { fill, type Texts } from './page-texts.ts';

export type CharacterGroup = 'lowerCase' | 'upperCase' | 'numbers' | 'special';

/** What the page tells about the connection's policy. The server decides; the page only helps. */
export interface PasswordRules {
  readonly minLength: number;
  readonly groups?: readonly CharacterGroup[];
  /** How many of the groups are needed; all when left out. */
  readonly groupsNeeded?: number;
  readonly maxIdenticalInRow?: number;
}

export interface PasswordRule {
  readonly check: string;
  readonly value: number;
  readonly text: string;
}

const GROUP_TEXTS = {
  lowerCase: ['passwordPolicyLowerCase', 'passwordGroupLowerCase'],
  upperCase: ['passwordPolicyUpperCase', 'passwordGroupUpperCase'],
  numbers: ['passwordPolicyNumbers', 'passwordGroupNumbers'],
  special: ['passwordPolicySpecial', 'passwordGroupSpecial'],
} as const;

/** The rules as the pages list them: `check` and `value` are read by assets/forms.js, which ticks a rule off while the user types. */
export function ruleList(rules: PasswordRules, texts: Texts): readonly PasswordRule[] {
  const screen = texts.signup.signup;
  const groups = rules.groups ?? [];
  const needed = rules.groupsNeeded ?? groups.length;
  const length = {
    check: 'length',
    value: rules.minLength,
    text: fill(screen.passwordPolicyLength, { count: rules.minLength }),
  };
  const characters =
    needed === groups.length
      ? groups.map((group) => ({ check: group, value: 1, text: screen[GROUP_TEXTS[group][0]] }))
      : [{ check: groups.join(' '), value: needed, text: someOf(groups, needed, screen) }];
  const repeats = rules.maxIdenticalInRow;
  if (repeats === undefined) return [length, ...characters];
  return [
    length,
    ...characters,
    { check: 'repeats', value: repeats, text: fill(screen.passwordPolicyRepeats, { count: repeats }) },
  ];
}

function someOf(groups: readonly CharacterGroup[], count: number, screen: Texts['signup']['signup']): string {
  return fill(screen.passwordPolicySome, {
    count,
    groups: groups.map((group) => screen[GROUP_TEXTS[group][1]]).join(', '),
  });
}
