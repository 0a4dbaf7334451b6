import type { Page } from './page.ts';
import { fillScreen } from './page-texts.ts';

export interface DeviceDoneModel {
  readonly isConnected: boolean;
}

export const deviceDonePage: Page<DeviceDoneModel> = {
  template: 'device-done',
  screen: ['device-flow', 'device-code-activation-allowed'],
  policy: { scripts: 'none', hasForm: false, tellsOrigin: false },
  view(model, texts, brand) {
    const { 'device-code-activation-allowed': allowed, 'device-code-activation-denied': denied } = texts['device-flow'];
    const screen = fillScreen(model.isConnected ? allowed : denied, { companyName: brand.tenantName });
    return { pageTitle: screen.pageTitle, screen, logoUrl: null, isDone: model.isConnected };
  },
};
