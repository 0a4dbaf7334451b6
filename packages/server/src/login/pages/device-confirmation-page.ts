import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { imageUrl } from './safe-url.ts';

export interface DeviceConfirmationModel {
  /** Fields of the form: _csrf, user_code, action (confirm or cancel). */
  readonly csrfToken: string;
  /** As the device shows it. */
  readonly userCode: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** Whose account the device gets into; left out where nobody is logged in yet. */
  readonly userName?: string;
}

export const deviceConfirmationPage: Page<DeviceConfirmationModel> = {
  template: 'device-confirmation',
  screen: ['device-flow', 'device-code-confirmation'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const screen = fillScreen(texts['device-flow']['device-code-confirmation'], {
      clientName: clip(model.clientName),
      companyName: brand.tenantName,
      userName: clip(model.userName ?? ''),
    });
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: '/activate/confirm',
      userCode: clip(model.userCode, 40),
      hasUser: model.userName !== undefined,
      hidden: [
        { name: '_csrf', value: model.csrfToken },
        { name: 'user_code', value: model.userCode },
      ],
    };
  },
};
