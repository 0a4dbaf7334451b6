import { field } from './field.ts';
import { clip, type FormErrors, messageText, messageTexts, type Page, titleWithErrors } from './page.ts';
import { fill, fillScreen, type Texts } from './page-texts.ts';
import { imageUrl, link, localPath } from './safe-url.ts';

export type SignUpError =
  | 'no-email'
  | 'no-username'
  | 'no-password'
  | 'invalid-email-format'
  | 'invalid-username'
  | 'username-taken'
  | 'email-taken'
  | 'invalid-signup'
  | 'password-too-weak'
  | 'password-too-common'
  | 'password-has-user-info'
  | 'password-leaked'
  | 'too-many-attempts'
  | 'signup-disabled'
  | 'page-expired'
  | 'temporarily-unavailable';

export type CharacterGroup = 'lowerCase' | 'upperCase' | 'numbers' | 'special';

/** What the page tells about the connection's policy. The server decides; the page only helps. */
export interface PasswordRules {
  readonly minLength: number;
  readonly groups?: readonly CharacterGroup[];
  /** How many of the groups are needed; all when left out. */
  readonly groupsNeeded?: number;
  readonly maxIdenticalInRow?: number;
}

export interface SignUpModel {
  /** The path that the form is posted to. Fields: state, _csrf, connection, email, username, password. */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  readonly connection: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  readonly requiresUsername: boolean;
  readonly email?: string;
  readonly username?: string;
  readonly passwordRules: PasswordRules;
  readonly errors?: FormErrors<SignUpError, 'email' | 'username' | 'password'>;
  readonly loginUrl: string;
}

const HINT_ID = 'password-rules';
const GROUP_TEXTS = {
  lowerCase: ['passwordPolicyLowerCase', 'passwordGroupLowerCase'],
  upperCase: ['passwordPolicyUpperCase', 'passwordGroupUpperCase'],
  numbers: ['passwordPolicyNumbers', 'passwordGroupNumbers'],
  special: ['passwordPolicySpecial', 'passwordGroupSpecial'],
} as const;

export const signUpPage: Page<SignUpModel> = {
  template: 'sign-up',
  screen: ['signup', 'signup'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const clientName = clip(model.clientName);
    const screen = fillScreen(texts.signup.signup, { clientName, companyName: brand.tenantName });
    const fieldErrors = model.errors?.fields ?? {};
    const alerts = messageTexts(model.errors?.form, screen);
    const hasErrors = alerts.length > 0 || Object.keys(fieldErrors).length > 0;
    const focused = fieldToFocus(model);
    return {
      pageTitle: titleWithErrors(screen.pageTitle, hasErrors, texts),
      screen,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [
        { name: 'state', value: model.state },
        { name: '_csrf', value: model.csrfToken },
        { name: 'connection', value: model.connection },
      ],
      alerts,
      email: field({
        name: 'email',
        label: screen.emailPlaceholder,
        type: 'email',
        value: model.email ?? '',
        // Password managers save a new login under the field that they will fill in later.
        autocomplete: model.requiresUsername ? 'email' : 'username',
        isFocused: focused === 'email',
        error: messageText(fieldErrors.email, screen),
      }),
      username: model.requiresUsername
        ? field({
            name: 'username',
            label: screen.usernamePlaceholder,
            type: 'text',
            value: model.username ?? '',
            autocomplete: 'username',
            isFocused: focused === 'username',
            error: messageText(fieldErrors.username, screen),
          })
        : null,
      password: field({
        name: 'password',
        label: screen.passwordPlaceholder,
        type: 'password',
        autocomplete: 'new-password',
        isFocused: focused === 'password',
        error: messageText(fieldErrors.password, screen),
        hintId: HINT_ID,
      }),
      rules: { id: HINT_ID, list: ruleList(model.passwordRules, screen) },
      loginUrl: link(model.loginUrl) ?? null,
    };
  },
};

function fieldToFocus({ errors, email, username, requiresUsername }: SignUpModel): 'email' | 'username' | 'password' {
  const wrong = (['email', 'username', 'password'] as const).find((name) => errors?.fields?.[name] !== undefined);
  if (wrong !== undefined) return wrong;
  if ((email ?? '') === '') return 'email';
  return requiresUsername && (username ?? '') === '' ? 'username' : 'password';
}

/** `check` and `value` are read by assets/forms.js, which ticks a rule off while the user types. */
function ruleList(rules: PasswordRules, screen: Texts['signup']['signup']) {
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
