import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { imageUrl, localPath } from './safe-url.ts';

export interface LogOutModel {
  /** The path that the form is posted to, with these fields and action (accept or decline). */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly clientLogoUrl?: string;
  /** Who is logged in. */
  readonly userName: string;
}

/** Asks before a logout that a link from anywhere might have begun. */
export const logOutPage: Page<LogOutModel> = {
  template: 'log-out',
  screen: ['logout', 'logout'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const values = { userName: clip(model.userName), companyName: brand.tenantName };
    const screen = fillScreen(texts.logout.logout, values);
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: Object.entries(model.fields).map(([name, value]) => ({ name, value })),
    };
  },
};
