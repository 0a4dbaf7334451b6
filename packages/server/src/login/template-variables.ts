import type { FastifyRequest } from 'fastify';
import type { Visit } from '../http/server.ts';
import { type Json, objectOf } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import { imageUrl, link } from './pages/safe-url.ts';
import type { TenantLook } from './tenant-looks.ts';

/** What page templates and partials see, under the names that Auth0 documents. Values are plain: templates escape them. */
export function templateVariables(
  { visit }: { readonly visit: Visit | undefined } & Pick<FastifyRequest, 'id'>,
  tenant: Tenant,
  { stored, branding }: TenantLook,
  state: unknown,
): Json {
  const settings = settingsOf(tenant);
  const client = visit?.client;
  return {
    ...(typeof state === 'string' && { state }),
    tenant: {
      friendly_name: settings.friendlyName,
      support_email: settings.supportEmail,
      support_url: link(settings.supportUrl),
      enabled_locales: settings.enabledLocales.join(', '),
    },
    branding: { logo_url: imageUrl(branding.logoUrl), colors: objectOf(stored.settings.colors) },
    application: client && {
      id: client.clientId,
      name: client.name,
      logo_url: imageUrl(client.logoUri),
      metadata: client.metadata,
    },
  };
}
