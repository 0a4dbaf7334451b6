import { field } from './field.ts';
import { messageText, type Page, titleWithErrors } from './page.ts';
import { fillScreen } from './page-texts.ts';

export interface DeviceCodeModel {
  /** Fields of the form: _csrf, user_code. */
  readonly csrfToken: string;
  readonly error?: 'invalid-code';
}

/** Where a user types the code that a device shows. */
export const deviceCodePage: Page<DeviceCodeModel> = {
  template: 'device-code',
  screen: ['device-flow', 'device-code-activation'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const screen = fillScreen(texts['device-flow']['device-code-activation'], { companyName: brand.tenantName });
    return {
      pageTitle: titleWithErrors(screen.pageTitle, model.error !== undefined, texts),
      screen,
      logoUrl: null,
      action: '/activate',
      hidden: [{ name: '_csrf', value: model.csrfToken }],
      code: field({
        name: 'user_code',
        label: screen.codeLabel,
        type: 'text',
        autocomplete: 'off',
        isFocused: true,
        error: messageText(model.error, screen),
      }),
    };
  },
};
