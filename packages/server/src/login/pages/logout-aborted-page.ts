import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { link } from './safe-url.ts';

export interface LogoutAbortedModel {
  readonly clientName?: string;
  /** The application's own address, from its registration. */
  readonly clientUrl?: string;
}

export const logoutAbortedPage: Page<LogoutAbortedModel> = {
  template: 'logout-aborted',
  screen: ['logout', 'logout-aborted'],
  policy: { scripts: 'none', hasForm: false, tellsOrigin: false },
  view(model, texts, brand) {
    const values = { clientName: clip(model.clientName ?? brand.tenantName), companyName: brand.tenantName };
    const screen = fillScreen(texts.logout['logout-aborted'], values);
    return { pageTitle: screen.pageTitle, screen, logoUrl: null, clientUrl: link(model.clientUrl) ?? null };
  },
};
