import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Json } from '../kit/json-values.ts';

declare module '../db/database.ts' {
  interface Tables {
    screen_renderings: ScreenRenderingTable;
  }
}

interface ScreenRenderingTable {
  tenant_id: string;
  prompt: string;
  screen: string;
  body: JSONColumnType<Record<string, unknown>>;
  updated_at: Generated<Date>;
}

/** How one screen is rendered, as far as a tenant said so. */
export interface ScreenRendering {
  readonly prompt: string;
  readonly screen: string;
  readonly body: Json;
}

export interface RenderingFilter {
  readonly prompt?: string | undefined;
  readonly screen?: string | undefined;
  readonly mode?: string | undefined;
}

export type RenderingStore = ReturnType<typeof createRenderingStore>;

export function createRenderingStore(db: Database) {
  const one = (tenantId: string, prompt: string, screen: string) =>
    db
      .selectFrom('screen_renderings')
      .select('body')
      .where('tenant_id', '=', tenantId)
      .where('prompt', '=', prompt)
      .where('screen', '=', screen);

  function filtered(tenantId: string, { prompt, screen, mode }: RenderingFilter) {
    let rows = db.selectFrom('screen_renderings').where('tenant_id', '=', tenantId);
    if (prompt !== undefined) rows = rows.where('prompt', '=', prompt);
    if (screen !== undefined) rows = rows.where('screen', '=', screen);
    if (mode !== undefined) rows = rows.where(sql<boolean>`coalesce(body->>'rendering_mode', 'standard') = ${mode}`);
    return rows;
  }

  return {
    async find(tenantId: string, prompt: string, screen: string): Promise<Json> {
      return (await one(tenantId, prompt, screen).executeTakeFirst())?.body ?? {};
    },

    /** The rendering, locked until the transaction ends. */
    async lock(tenantId: string, prompt: string, screen: string): Promise<Json> {
      await db
        .insertInto('screen_renderings')
        .values({ tenant_id: tenantId, prompt, screen, body: '{}' })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'prompt', 'screen']).doNothing())
        .execute();
      return (await one(tenantId, prompt, screen).forUpdate().executeTakeFirstOrThrow()).body;
    },

    async update(tenantId: string, { prompt, screen, body }: ScreenRendering): Promise<void> {
      await db
        .updateTable('screen_renderings')
        .set({ body: JSON.stringify(body), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .where('prompt', '=', prompt)
        .where('screen', '=', screen)
        .execute();
    },

    async page(tenantId: string, filter: RenderingFilter, offset: number, limit: number): Promise<ScreenRendering[]> {
      return filtered(tenantId, filter)
        .select(['prompt', 'screen', 'body'])
        .orderBy('prompt')
        .orderBy('screen')
        .offset(offset)
        .limit(limit)
        .execute();
    },

    async count(tenantId: string, filter: RenderingFilter): Promise<number> {
      const row = await filtered(tenantId, filter)
        .select(({ fn }) => fn.countAll<string>().as('total'))
        .executeTakeFirstOrThrow();
      return Number(row.total);
    },
  };
}
