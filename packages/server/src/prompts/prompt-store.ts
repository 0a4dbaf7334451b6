import { type Generated, type JSONColumnType, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Json } from '../kit/json-values.ts';

declare module '../db/database.ts' {
  interface Tables {
    prompt_settings: PromptSettingsTable;
    custom_texts: CustomTextTable;
    prompt_partials: PromptPartialTable;
  }
}

interface PromptSettingsTable {
  tenant_id: string;
  body: JSONColumnType<Record<string, unknown>, string | undefined>;
  updated_at: Generated<Date>;
}

interface CustomTextTable {
  tenant_id: string;
  language: string;
  prompt: string;
  body: JSONColumnType<Record<string, unknown>>;
  updated_at: Generated<Date>;
}

interface PromptPartialTable {
  tenant_id: string;
  prompt: string;
  body: JSONColumnType<Record<string, unknown>>;
  updated_at: Generated<Date>;
}

export type PromptStore = ReturnType<typeof createPromptStore>;

export function createPromptStore(db: Database) {
  const settingsOf = (tenantId: string) =>
    db.selectFrom('prompt_settings').select('body').where('tenant_id', '=', tenantId);

  return {
    async settings(tenantId: string): Promise<Json> {
      return (await settingsOf(tenantId).executeTakeFirst())?.body ?? {};
    },

    /** The settings, locked until the transaction ends. */
    async lockSettings(tenantId: string): Promise<Json> {
      await db
        .insertInto('prompt_settings')
        .values({ tenant_id: tenantId })
        .onConflict((conflict) => conflict.column('tenant_id').doNothing())
        .execute();
      return (await settingsOf(tenantId).forUpdate().executeTakeFirstOrThrow()).body;
    },

    async updateSettings(tenantId: string, settings: Json): Promise<void> {
      await db
        .updateTable('prompt_settings')
        .set({ body: JSON.stringify(settings), updated_at: sql`now()` })
        .where('tenant_id', '=', tenantId)
        .execute();
    },

    async texts(tenantId: string, language: string, prompt: string): Promise<Json | undefined> {
      const row = await db
        .selectFrom('custom_texts')
        .select('body')
        .where('tenant_id', '=', tenantId)
        .where('language', '=', language)
        .where('prompt', '=', prompt)
        .executeTakeFirst();
      return row?.body;
    },

    /** Every prompt's texts in one language, by prompt. */
    async textsOfLanguage(tenantId: string, language: string): Promise<Json> {
      const rows = await db
        .selectFrom('custom_texts')
        .select(['prompt', 'body'])
        .where('tenant_id', '=', tenantId)
        .where('language', '=', language)
        .execute();
      return Object.fromEntries(rows.map(({ prompt, body }) => [prompt, body]));
    },

    /** The languages that the tenant has texts in. */
    async languages(tenantId: string): Promise<string[]> {
      const rows = await db
        .selectFrom('custom_texts')
        .select('language')
        .distinct()
        .where('tenant_id', '=', tenantId)
        .execute();
      return rows.map(({ language }) => language);
    },

    /** Replaces the texts; without any, nothing is kept. */
    async setTexts(tenantId: string, language: string, prompt: string, body: Json): Promise<void> {
      if (Object.keys(body).length === 0) {
        await db
          .deleteFrom('custom_texts')
          .where('tenant_id', '=', tenantId)
          .where('language', '=', language)
          .where('prompt', '=', prompt)
          .execute();
        return;
      }
      const text = JSON.stringify(body);
      await db
        .insertInto('custom_texts')
        .values({ tenant_id: tenantId, language, prompt, body: text })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'language', 'prompt']).doUpdateSet({ body: text, updated_at: sql`now()` }),
        )
        .execute();
    },

    /** Every prompt's partials, by prompt. */
    async partials(tenantId: string): Promise<Json> {
      const rows = await db
        .selectFrom('prompt_partials')
        .select(['prompt', 'body'])
        .where('tenant_id', '=', tenantId)
        .execute();
      return Object.fromEntries(rows.map(({ prompt, body }) => [prompt, body]));
    },

    async setPartials(tenantId: string, prompt: string, body: Json): Promise<void> {
      const text = JSON.stringify(body);
      await db
        .insertInto('prompt_partials')
        .values({ tenant_id: tenantId, prompt, body: text })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'prompt']).doUpdateSet({ body: text, updated_at: sql`now()` }),
        )
        .execute();
    },
  };
}
