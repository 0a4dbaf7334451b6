import { randomAlphanumeric } from '../kit/ids.ts';
import type { Json } from '../kit/json-values.ts';
import type { Management } from '../management/call.ts';
import { brandingErrors, type StoredBranding } from './branding.ts';
import type { BrandingStores } from './branding-routes.ts';
import { checkTheme } from './check-theme.ts';

type Theme = NonNullable<StoredBranding['theme']>;

/** /branding/themes: a tenant has one theme, which is its default one. */
export function themeRoutes<Stores extends BrandingStores>(management: Management<Stores>): void {
  management.route('POST /branding/themes', async ({ tenant: { tenantId }, body, commit }) => {
    checkTheme(body);
    return commit(async ({ branding }) => {
      const { theme: existing } = await branding.lock(tenantId);
      if (existing) throw brandingErrors.themeExists();
      const theme = { themeId: randomAlphanumeric(32), body };
      await branding.update(tenantId, { theme });
      return toWire(theme);
    });
  });

  management.route('GET /branding/themes/default', async ({ tenant, stores }) => {
    const { theme } = await stores.branding.find(tenant.tenantId);
    if (!theme) throw brandingErrors.noThemeToRead();
    return toWire(theme);
  });

  management.route('GET /branding/themes/{theme_id}', async ({ tenant, stores, params }) => {
    const { theme } = await stores.branding.find(tenant.tenantId);
    if (theme?.themeId !== params.theme_id) throw brandingErrors.noThemeToRead();
    return theme && toWire(theme);
  });

  management.route('PATCH /branding/themes/{theme_id}', async ({ tenant: { tenantId }, body, params, commit }) => {
    checkTheme(body);
    return commit(async ({ branding }) => {
      const { theme } = await branding.lock(tenantId);
      if (!theme || theme.themeId !== params.theme_id) throw brandingErrors.noThemeToChange();
      const next = { themeId: theme.themeId, body: { ...theme.body, ...body } };
      await branding.update(tenantId, { theme: next });
      return toWire(next);
    });
  });

  management.route('DELETE /branding/themes/{theme_id}', async ({ tenant: { tenantId }, params, commit }) =>
    commit(async ({ branding }) => {
      const { theme } = await branding.lock(tenantId);
      if (!theme || theme.themeId !== params.theme_id) throw brandingErrors.noThemeToDelete();
      await branding.update(tenantId, { theme: null });
    }),
  );
}

function toWire({ themeId, body }: Theme): Json {
  return { ...body, themeId };
}
