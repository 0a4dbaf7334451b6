import { textOf } from '../kit/json-values.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import { brandingErrors } from './branding.ts';
import type { BrandingStores } from './branding-routes.ts';
import { checkPageTemplate } from './page-template.ts';

/** /branding/templates/universal-login: sent as JSON or as text/html. It needs no custom domain, which Auth0 asks for. */
export function templateRoutes<Stores extends BrandingStores>(management: Management<Stores>): void {
  management.route('GET /branding/templates/universal-login', async ({ tenant, stores }) => {
    const { template } = await stores.branding.find(tenant.tenantId);
    if (template === undefined) throw brandingErrors.noTemplate();
    return { body: template };
  });

  management.route('PUT /branding/templates/universal-login', async (call) => {
    const template = templateOf(call);
    checkPageTemplate(template);
    return call.commit(async ({ branding }) => {
      await branding.lock(call.tenant.tenantId);
      await branding.update(call.tenant.tenantId, { template });
      return {};
    });
  });

  management.route('DELETE /branding/templates/universal-login', async ({ tenant: { tenantId }, commit }) =>
    commit(async ({ branding }) => {
      await branding.lock(tenantId);
      await branding.update(tenantId, { template: null });
    }),
  );
}

function templateOf({ body, bodyText }: Pick<ManagementCall<unknown>, 'body' | 'bodyText'>): string {
  const other = Object.keys(body).find((name) => name !== 'template');
  if (other !== undefined) throw brandingErrors.additionalProperty({ property: other });
  return bodyText ?? textOf(body.template) ?? '';
}
