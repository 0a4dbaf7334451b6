import { type Json, objectsOf, textOf } from '../kit/json-values.ts';
import type { Management } from '../management/call.ts';
import { promptErrors } from './prompt.ts';
import type { PromptStores } from './prompt-routes.ts';
import type { RenderingStore } from './rendering-store.ts';

const DEFAULTS: Json = {
  rendering_mode: 'standard',
  context_configuration: [],
  default_head_tags_disabled: false,
  head_tags: [],
  filters: null,
  use_page_template: false,
};
const MOST_AT_ONCE = 100;
const LARGEST_BODY = 32_000;

/** Which screens a tenant renders itself. Stored and told; our pages are shown all the same. */
export function renderingRoutes<Stores extends PromptStores>(management: Management<Stores>): void {
  management.route('GET /prompts/rendering', async (call) => {
    const { query, tenant } = call;
    const filter = {
      prompt: textOf(query.prompt),
      screen: textOf(query.screen),
      mode: textOf(query.rendering_mode),
    };
    const { screenRenderings } = call.stores;
    return call.list('configs', {
      page: (offset, limit) => screenRenderings.page(tenant.tenantId, filter, offset, limit),
      count: () => screenRenderings.count(tenant.tenantId, filter),
      toWire: ({ prompt, screen, body }) => ({ prompt, screen, ...DEFAULTS, ...body }),
    });
  });

  management.route('PATCH /prompts/rendering', async ({ tenant: { tenantId }, body, commit }) => {
    // In one order, so that two such requests never wait for each other.
    const configs = objectsOf(body.configs).toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
    if (configs.length > MOST_AT_ONCE) throw tooMany(configs.length);
    for (const config of configs) checkSize(config);
    return commit(async ({ screenRenderings }) => {
      for (const { prompt, screen, ...change } of configs)
        await applyChange(screenRenderings, tenantId, String(prompt), String(screen), change);
      return { configs: body.configs };
    });
  });

  management.route('GET /prompts/{prompt}/screen/{screen}/rendering', async ({ stores, tenant, params }) => {
    const { prompt = '', screen = '' } = params;
    const body = await stores.screenRenderings.find(tenant.tenantId, prompt, screen);
    return { tenant: tenant.tenantId, prompt, screen, ...DEFAULTS, ...body };
  });

  management.route('PATCH /prompts/{prompt}/screen/{screen}/rendering', async ({ tenant, params, body, commit }) => {
    const { prompt = '', screen = '' } = params;
    checkSize(body);
    return commit(async ({ screenRenderings }) => ({
      ...DEFAULTS,
      ...(await applyChange(screenRenderings, tenant.tenantId, prompt, screen, body)),
    }));
  });
}

async function applyChange(
  renderings: RenderingStore,
  tenantId: string,
  prompt: string,
  screen: string,
  change: Json,
): Promise<Json> {
  const body = { ...(await renderings.lock(tenantId, prompt, screen)), ...change };
  await renderings.update(tenantId, { prompt, screen, body });
  return body;
}

function keyOf({ prompt, screen }: Json): string {
  return `${prompt}/${screen}`;
}

function checkSize(body: Json): void {
  const size = JSON.stringify(body).length;
  if (size > LARGEST_BODY)
    throw promptErrors.invalid({
      reason: `The configuration is too long (${size} chars), maximum ${LARGEST_BODY}`,
      property: 'body',
    });
}

function tooMany(count: number) {
  return promptErrors.invalid({
    reason: `Array is too long (${count}), maximum ${MOST_AT_ONCE}`,
    property: 'configs',
  });
}
