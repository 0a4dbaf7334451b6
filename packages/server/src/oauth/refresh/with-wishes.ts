import { type RawBuilder, sql } from 'kysely';
import { MOST_KEYS } from '../../sessions/session-metadata.ts';

/** Metadata as code of the tenant wants it, unless it were more than a token may carry; both are SQL, the wishes JSON. */
export function withWishes(metadata: RawBuilder<unknown>, wishes: RawBuilder<unknown>) {
  const after = sql`((case when (${wishes}->>'empties')::boolean then '{}'::jsonb else ${metadata} end)
    - array(select jsonb_array_elements_text(${wishes}->'removed'))) || (${wishes}->'set')`;
  return sql<Record<string, unknown>>`(select case when (select count(*) from jsonb_object_keys(value)) <= ${MOST_KEYS}
    then value else ${metadata} end from (select ${after} as value) wished)`;
}
