import { type RawBuilder, sql } from 'kysely';
import type { FieldRule, LuceneRules } from '../kit/lucene/query.ts';

export type FieldKind = 'text' | 'caseless' | 'flag' | 'number' | 'date' | 'json' | 'identity';

/** A field that users can be searched by: how it compares, and the expression over alias `u` that reads it. */
export interface SearchField extends FieldRule {
  readonly kind: FieldKind;
  /** A column, or for `json` the document's column. */
  readonly column: RawBuilder<unknown>;
  /** Where in the document, for `json`. */
  readonly path?: string;
  readonly sortable: boolean;
}

/** The field of this name in `q` and `sort`, by the rules of Auth0's search engine v3; undefined where there is none. */
export function searchField(name: string): SearchField | undefined {
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  if (plain) return plain;
  const [, root = '', path = ''] = /^(user_metadata|app_metadata|identities\.profileData)\.(.+)$/.exec(name) ?? [];
  const parts = path.split('.');
  if (path === '' || parts.length > DEEPEST_PATH || parts.some((part) => part === '')) return undefined;
  // lax mode, the default, looks into arrays on the way: a level of a list is skipped. JSON's quoting is jsonpath's.
  const jsonPath = `$${parts.map((part) => `.${JSON.stringify(part)}`).join('')}[*]`;
  const isSearchable = root !== 'user_metadata';
  if (root === 'identities.profileData') {
    return { kind: 'identity', column: sql`i.profile`, path: jsonPath, wildcard: false, range: false, sortable: false };
  }
  const column = root === 'user_metadata' ? sql`u.user_metadata` : sql`u.app_metadata`;
  return { kind: 'json', column, path: jsonPath, wildcard: isSearchable, range: isSearchable, sortable: false };
}

/** Which field may stand in a query, and what it may be asked. */
export const userSearchRules: LuceneRules = { field: searchField, allowsExists: true };

const DEEPEST_PATH = 10;

function text(column: RawBuilder<unknown>, kind: 'text' | 'caseless' = 'text'): SearchField {
  return { kind, column, wildcard: true, range: true, sortable: true };
}

function typed(kind: 'flag' | 'number' | 'date', column: RawBuilder<unknown>): SearchField {
  return { kind, column, wildcard: kind === 'date', range: kind !== 'flag', sortable: true };
}

function identity(column: RawBuilder<unknown>): SearchField {
  return { kind: 'identity', column, wildcard: true, range: false, sortable: false };
}

const PLAIN: Readonly<Record<string, SearchField>> = {
  user_id: text(sql`u.user_id`),
  email: text(sql`u.email`, 'caseless'),
  'email.domain': { ...text(sql`split_part(u.email, '@', 2)`, 'caseless'), sortable: false },
  email_verified: typed('flag', sql`u.email_verified`),
  phone_number: text(sql`u.phone_number`),
  phone_verified: typed('flag', sql`u.phone_verified`),
  username: text(sql`u.username`),
  name: text(sql`u.profile->>'name'`, 'caseless'),
  given_name: text(sql`u.profile->>'given_name'`, 'caseless'),
  family_name: text(sql`u.profile->>'family_name'`, 'caseless'),
  nickname: text(sql`u.profile->>'nickname'`, 'caseless'),
  blocked: typed('flag', sql`u.blocked`),
  logins_count: typed('number', sql`u.logins_count`),
  last_ip: text(sql`u.last_ip`),
  last_login: typed('date', sql`u.last_login`),
  last_password_reset: typed('date', sql`coalesce(u.reported_password_reset, u.last_password_reset)`),
  created_at: typed('date', sql`u.created_at`),
  updated_at: typed('date', sql`u.updated_at`),
  'identities.connection': identity(sql`c.name`),
  'identities.provider': identity(sql`i.provider`),
  'identities.user_id': identity(sql`i.identity_user_id`),
};

/** What a term without a field is looked for in: never metadata. */
export const BARE_TERM_FIELDS: readonly SearchField[] = [
  'email',
  'name',
  'nickname',
  'given_name',
  'family_name',
  'username',
  'phone_number',
  'user_id',
].flatMap((name) => PLAIN[name] ?? []);
