import { field } from './field.ts';
import { clip, type FormErrors, messageText, messageTexts, type Page, titleWithErrors } from './page.ts';
import { fillScreen, type Texts } from './page-texts.ts';
import { imageUrl, link, localPath } from './safe-url.ts';

export type LoginError =
  | 'wrong-email-credentials'
  | 'wrong-credentials'
  | 'no-email'
  | 'no-username'
  | 'no-username-or-email'
  | 'no-password'
  | 'invalid-email-format'
  | 'too-many-attempts'
  | 'password-leaked'
  | 'access-denied'
  | 'page-expired'
  | 'temporarily-unavailable';

export interface LoginModel {
  /** The path that the form is posted to. Fields: state, _csrf, connection, username, password. */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  readonly connection: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** What the connection takes as an identifier; `email` when left out. */
  readonly identifier?: 'email' | 'username' | 'username-or-email';
  /** login_hint, or what was typed before. */
  readonly username?: string;
  readonly errors?: FormErrors<LoginError, 'username' | 'password'>;
  /** Left out where signing up is not allowed. */
  readonly signUpUrl?: string;
  readonly resetPasswordUrl?: string;
}

export const loginPage: Page<LoginModel> = {
  template: 'login',
  screen: ['login', 'login'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const clientName = clip(model.clientName);
    const screen = fillScreen(texts.login.login, { clientName, companyName: brand.tenantName });
    const fieldErrors = model.errors?.fields ?? {};
    const alerts = messageTexts(model.errors?.form, screen);
    const hasErrors = alerts.length > 0 || Object.keys(fieldErrors).length > 0;
    const identifier = model.identifier ?? 'email';
    const isPasswordNext = (model.username ?? '') !== '' && fieldErrors.username === undefined;
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
      username: field({
        name: 'username',
        label: identifierLabel(identifier, screen),
        type: identifier === 'email' ? 'email' : 'text',
        value: model.username ?? '',
        autocomplete: 'username',
        isFocused: !isPasswordNext,
        error: messageText(fieldErrors.username, screen),
      }),
      password: field({
        name: 'password',
        label: screen.passwordPlaceholder,
        type: 'password',
        autocomplete: 'current-password',
        isFocused: isPasswordNext,
        error: messageText(fieldErrors.password, screen),
      }),
      resetPasswordUrl: link(model.resetPasswordUrl) ?? null,
      signUpUrl: link(model.signUpUrl) ?? null,
    };
  },
};

function identifierLabel(identifier: string, screen: Texts['login']['login']): string {
  if (identifier === 'email') return screen.emailPlaceholder;
  return identifier === 'username' ? screen.usernamePlaceholder : screen.usernameOrEmailPlaceholder;
}
