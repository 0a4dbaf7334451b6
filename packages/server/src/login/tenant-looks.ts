import type { StoredBranding } from '../branding/branding.ts';
import { parseTenantTemplate, type TenantTemplate } from '../branding/page-template.ts';
import { type Json, objectOf } from '../kit/json-values.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import { type Branding, brandingFrom } from './pages/branding.ts';
import type { PageRenderer, PageTemplate } from './pages/page-renderer.ts';
import type { Texts } from './pages/page-texts.ts';

/** How the pages of a tenant look, ready to be rendered with. */
export interface TenantLook {
  readonly stored: StoredBranding;
  readonly branding: Branding;
  readonly template: PageTemplate | undefined;
  readonly partials: ReadonlyMap<string, TenantTemplate>;
  /** Languages that the tenant has texts of its own in. */
  readonly languages: readonly string[];
}

interface Parts {
  readonly cache: TenantCache;
  readonly renderer: Pick<PageRenderer, 'textsIn'>;
  readonly branding: { find(tenantId: string): Promise<StoredBranding> };
  readonly prompts: {
    partials(tenantId: string): Promise<Json>;
    languages(tenantId: string): Promise<readonly string[]>;
    textsOfLanguage(tenantId: string, language: string): Promise<Json>;
  };
}

export type TenantLooks = ReturnType<typeof createTenantLooks>;

/** Looks and words of tenants, from memory: a login page asks the database for neither. */
export function createTenantLooks({ cache, renderer, branding, prompts }: Parts) {
  async function load({ tenantId, settings }: Tenant): Promise<TenantLook> {
    const [stored, partials, languages] = await Promise.all([
      branding.find(tenantId),
      prompts.partials(tenantId),
      prompts.languages(tenantId),
    ]);
    return {
      stored,
      branding: brandingFrom(tenantId, settings, stored.settings, stored.theme?.body),
      template: templateOf(stored.template),
      partials: partialsOf(partials),
      languages,
    };
  }

  return {
    find: (tenant: Tenant): Promise<TenantLook> => cache.get(tenant.tenantId, 'look', () => load(tenant)),

    texts: (tenantId: string, language: string): Promise<{ readonly custom: Json; readonly texts: Texts }> =>
      cache.get(tenantId, `texts:${language}`, async () => {
        const custom = await prompts.textsOfLanguage(tenantId, language);
        return { custom, texts: renderer.textsIn(language, custom) };
      }),
  };
}

function templateOf(source: string | undefined): PageTemplate | undefined {
  const template = source === undefined ? undefined : parseTenantTemplate(source);
  return template && { ...template, hasTitle: /<title[\s>]/i.test(source ?? '') };
}

function partialsOf(stored: Json): Map<string, TenantTemplate> {
  const partials = new Map<string, TenantTemplate>();
  for (const [prompt, screens] of Object.entries(stored)) {
    for (const [screen, slots] of Object.entries(objectOf(screens))) {
      for (const [slot, source] of Object.entries(objectOf(slots))) {
        const template = typeof source === 'string' && source !== '' ? parseTenantTemplate(source) : undefined;
        if (template) partials.set(`${prompt}/${screen}/${slot}`, template);
      }
    }
  }
  return partials;
}
