import { field } from './field.ts';
import { clip, type FormErrors, messageText, messageTexts, type Page, titleWithErrors } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { imageUrl, link, localPath } from './safe-url.ts';

export type ResetRequestError =
  | 'no-email'
  | 'no-username'
  | 'invalid-email-format'
  | 'too-many-attempts'
  | 'reset-disabled';

export interface ResetRequestModel {
  /** The path that the form is posted to. Fields: state, _csrf, username. */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** What the connection takes as an identifier; `email` when left out. */
  readonly identifier?: 'email' | 'username' | 'username-or-email';
  readonly username?: string;
  readonly errors?: FormErrors<ResetRequestError, 'username'>;
  readonly loginUrl: string;
}

/** Asks who wants a new password. */
export const resetRequestPage: Page<ResetRequestModel> = {
  template: 'reset-request',
  screen: ['reset-password', 'reset-password-request'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const clientName = clip(model.clientName);
    const screen = fillScreen(texts['reset-password']['reset-password-request'], {
      clientName,
      companyName: brand.tenantName,
    });
    const alerts = messageTexts(model.errors?.form, screen);
    const error = messageText(model.errors?.fields?.username, screen);
    const identifier = model.identifier ?? 'email';
    const labels = {
      email: screen.emailLabel,
      username: screen.usernameLabel,
      'username-or-email': screen.usernameOrEmailLabel,
    };
    return {
      pageTitle: titleWithErrors(screen.pageTitle, alerts.length > 0 || error !== null, texts),
      screen,
      description: identifier === 'email' ? screen.descriptionEmail : screen.descriptionUsername,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [
        { name: 'state', value: model.state },
        { name: '_csrf', value: model.csrfToken },
      ],
      alerts,
      username: field({
        name: 'username',
        label: labels[identifier] ?? labels.email,
        type: identifier === 'email' ? 'email' : 'text',
        value: model.username ?? '',
        autocomplete: 'username',
        isFocused: true,
        error,
      }),
      loginUrl: link(model.loginUrl) ?? null,
    };
  },
};
