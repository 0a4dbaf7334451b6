import { checkPartial, LONGEST_PARTIAL } from '../branding/page-template.ts';
import { objectOf, withoutNulls } from '../kit/json-values.ts';
import type { Management } from '../management/call.ts';
import { checkScreens, checkTexts, settingsToWire } from './prompt.ts';
import type { PromptStore } from './prompt-store.ts';
import { renderingRoutes } from './rendering-routes.ts';
import type { RenderingStore } from './rendering-store.ts';

export interface PromptStores {
  readonly prompts: PromptStore;
  readonly screenRenderings: RenderingStore;
}

/** /prompts of the Management API. */
export function promptRoutes<Stores extends PromptStores>(management: Management<Stores>): void {
  management.route('GET /prompts', async ({ stores, tenant }) =>
    settingsToWire(await stores.prompts.settings(tenant.tenantId)),
  );

  management.route('PATCH /prompts', async ({ tenant: { tenantId }, body, commit }) =>
    commit(async ({ prompts }) => {
      const settings = withoutNulls({ ...(await prompts.lockSettings(tenantId)), ...body });
      await prompts.updateSettings(tenantId, settings);
      return settingsToWire(settings);
    }),
  );

  management.route('GET /prompts/{prompt}/custom-text/{language}', async ({ stores, tenant, params }) => {
    const { language = '', prompt = '' } = params;
    return (await stores.prompts.texts(tenant.tenantId, language, prompt)) ?? {};
  });

  management.route('PUT /prompts/{prompt}/custom-text/{language}', async ({ tenant, params, body, commit }) => {
    const { language = '', prompt = '' } = params;
    checkTexts(body);
    return commit(async ({ prompts }) => {
      await prompts.setTexts(tenant.tenantId, language, prompt, body);
      return body;
    });
  });

  management.route('GET /prompts/{prompt}/partials', async ({ stores, tenant, params }) =>
    objectOf((await stores.prompts.partials(tenant.tenantId))[params.prompt ?? '']),
  );

  management.route('PUT /prompts/{prompt}/partials', async ({ tenant, params, body, commit }) => {
    checkScreens(body, LONGEST_PARTIAL, checkPartial);
    return commit(async ({ prompts }) => {
      await prompts.setPartials(tenant.tenantId, params.prompt ?? '', body);
      return body;
    });
  });

  renderingRoutes(management);
}
