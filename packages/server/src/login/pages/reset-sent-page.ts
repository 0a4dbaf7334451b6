import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { imageUrl, link, localPath } from './safe-url.ts';

export interface ResetSentModel {
  /** Where the mail is asked for once more. Fields: state, _csrf, username. */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** As it was typed. */
  readonly username: string;
  readonly loginUrl: string;
}

/** "Check your email": the same for everybody, whether or not there is such an account. */
export const resetSentPage: Page<ResetSentModel> = {
  template: 'reset-sent',
  screen: ['reset-password', 'reset-password-email'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const clientName = clip(model.clientName);
    const screen = fillScreen(texts['reset-password']['reset-password-email'], {
      clientName,
      companyName: brand.tenantName,
      email: clip(model.username),
    });
    return {
      pageTitle: screen.pageTitle,
      screen,
      description: model.username.includes('@') ? screen.emailDescription : screen.usernameDescription,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [
        { name: 'state', value: model.state },
        { name: '_csrf', value: model.csrfToken },
        { name: 'username', value: model.username.slice(0, 320) },
      ],
      loginUrl: link(model.loginUrl) ?? null,
    };
  },
};
