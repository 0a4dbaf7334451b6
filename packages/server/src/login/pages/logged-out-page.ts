import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { link } from './safe-url.ts';

export interface LoggedOutModel {
  readonly clientName?: string;
  /** The application's own address, from its registration; shown with its name. */
  readonly clientUrl?: string;
  /** Where a new login begins. */
  readonly loginUrl?: string;
}

export const loggedOutPage: Page<LoggedOutModel> = {
  template: 'logged-out',
  screen: ['logout', 'logout-complete'],
  policy: { scripts: 'none', hasForm: false, tellsOrigin: false },
  view(model, texts, brand) {
    const values = { clientName: clip(model.clientName ?? brand.tenantName), companyName: brand.tenantName };
    const screen = fillScreen(texts.logout['logout-complete'], values);
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: null,
      loginUrl: link(model.loginUrl) ?? null,
      clientUrl: link(model.clientUrl) ?? null,
    };
  },
};
