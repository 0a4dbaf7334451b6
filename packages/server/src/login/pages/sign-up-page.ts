import { field } from './field.ts';
import { clip, type FormErrors, messageText, messageTexts, type Page, titleWithErrors } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { type PasswordRules, ruleList } from './password-rules.ts';
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
      rules: { id: HINT_ID, list: ruleList(model.passwordRules, texts) },
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
