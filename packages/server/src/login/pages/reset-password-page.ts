import { field } from './field.ts';
import { clip, type FormErrors, messageText, messageTexts, type Page, titleWithErrors } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { type PasswordRules, ruleList } from './password-rules.ts';
import { imageUrl, localPath } from './safe-url.ts';

export type ResetPasswordError =
  | 'no-password'
  | 'no-re-enter-password'
  | 're-enter-password-mismatch'
  | 'password-too-weak'
  | 'password-too-common'
  | 'password-has-user-info'
  | 'password-previously-used'
  | 'temporarily-unavailable';

export interface ResetPasswordModel {
  /** The path that the form is posted to. Fields: _csrf, password, password_again. */
  readonly action: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** Whose password it is: password managers look for it, too. */
  readonly email?: string;
  readonly passwordRules: PasswordRules;
  readonly errors?: FormErrors<ResetPasswordError, 'password' | 'password_again'>;
}

const HINT_ID = 'password-rules';

export const resetPasswordPage: Page<ResetPasswordModel> = {
  template: 'reset-password',
  screen: ['reset-password', 'reset-password'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const email = clip(model.email ?? '');
    const screen = fillScreen(texts['reset-password']['reset-password'], {
      clientName: clip(model.clientName),
      companyName: brand.tenantName,
      email,
    });
    const fieldErrors = model.errors?.fields ?? {};
    const alerts = messageTexts(model.errors?.form, screen);
    const isAgainWrong = fieldErrors.password === undefined && fieldErrors.password_again !== undefined;
    return {
      pageTitle: titleWithErrors(screen.pageTitle, alerts.length > 0 || Object.keys(fieldErrors).length > 0, texts),
      screen,
      description: email === '' ? screen.descriptionNoEmail : screen.description,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [{ name: '_csrf', value: model.csrfToken }],
      email: email === '' ? null : email,
      alerts,
      password: field({
        name: 'password',
        label: screen.passwordLabel,
        type: 'password',
        autocomplete: 'new-password',
        isFocused: !isAgainWrong,
        error: messageText(fieldErrors.password, screen),
        hintId: HINT_ID,
      }),
      passwordAgain: field({
        name: 'password_again',
        label: screen.reEnterpasswordLabel,
        type: 'password',
        autocomplete: 'new-password',
        isFocused: isAgainWrong,
        error: messageText(fieldErrors.password_again, screen),
      }),
      rules: { id: HINT_ID, list: ruleList(model.passwordRules, texts) },
      rulesTitle: texts.signup.signup.passwordPolicyTitle,
    };
  },
};
