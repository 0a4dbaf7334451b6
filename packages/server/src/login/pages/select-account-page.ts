import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { imageUrl, link, localPath } from './safe-url.ts';

export interface SelectAccountModel {
  /** The path that the form is posted to. Fields: state, _csrf, session. */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  /** The session that the page shows; its public id. */
  readonly sessionId: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** Whose session it is. */
  readonly accountName: string;
  /** Where another account logs in. */
  readonly otherUrl: string;
}

export const selectAccountPage: Page<SelectAccountModel> = {
  template: 'select-account',
  screen: ['login-select-account', 'login-select-account'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const screen = fillScreen(texts['login-select-account']['login-select-account'], {
      clientName: clip(model.clientName),
      companyName: brand.tenantName,
      accountName: clip(model.accountName),
    });
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [
        { name: 'state', value: model.state },
        { name: '_csrf', value: model.csrfToken },
        { name: 'session', value: model.sessionId },
      ],
      otherUrl: link(model.otherUrl) ?? null,
    };
  },
};
