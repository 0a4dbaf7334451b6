import { isObject, type Json } from '../../kit/json-values.ts';
import { isCovered, type PersonalField } from './personal-fields.ts';
import { createTextMask } from './personal-text.ts';

/** The stream's `pii_config`, as the wire has it. */
export interface PersonalDataSettings {
  readonly log_fields: readonly PersonalField[];
  readonly method?: 'mask' | 'hash' | undefined;
  readonly algorithm?: 'xxhash' | undefined;
}

export type MaskPersonalData = (data: Json) => Json;

const MASK = '*****';
/** They say which event it is. */
const KEPT = new Set(['date', 'type', 'log_id', '_id']);
/** What the walk looks at; stored events end sooner (logs/masking/mask-secrets.ts). */
const MAX_DEPTH = 40;

/**
 * Hides personal data in records of the log: members with these names at any depth, and the same values, addresses and
 * numbers wherever a text repeats them. Without settings the records stay as they are.
 */
export async function createPersonalDataMask(settings: PersonalDataSettings | undefined): Promise<MaskPersonalData> {
  const fields = new Set(settings?.log_fields);
  if (fields.size === 0) return (data) => data;
  const hidden = settings?.method === 'hash' ? await createHash() : () => MASK;
  const maskTexts = createTextMask(fields, hidden);
  return (data) => {
    const found = new Set<string>();
    collect(data, fields, '', found, 0);
    const maskText = maskTexts(found);
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, KEPT.has(key) ? value : member(key, value, '', 0)]),
    );

    function member(key: string, value: unknown, parent: string, depth: number): unknown {
      return isCovered(fields, key, parent) ? hide(value, depth) : plain(value, key, depth);
    }

    function plain(value: unknown, key: string, depth: number): unknown {
      if (typeof value === 'string') return maskText(value);
      if (depth > MAX_DEPTH) return hide(value, 0);
      if (Array.isArray(value)) return value.map((item) => plain(item, key, depth + 1));
      if (!isObject(value)) return value;
      const members = Object.entries(value);
      return Object.fromEntries(members.map(([name, part]) => [maskText(name), member(name, part, key, depth + 1)]));
    }

    /** Everything below a personal name is personal; the shape stays. */
    function hide(value: unknown, depth: number): unknown {
      if (typeof value === 'string') return value === '' ? value : hidden(value);
      if (typeof value === 'number') return hidden(String(value));
      if (depth > MAX_DEPTH) return MASK;
      if (Array.isArray(value)) return value.map((item) => hide(item, depth + 1));
      if (!isObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [maskText(name), hide(part, depth + 1)]));
    }
  };
}

/** The texts below personal names. */
function collect(
  value: unknown,
  fields: ReadonlySet<PersonalField>,
  key: string,
  found: Set<string>,
  depth: number,
  isPersonal = false,
): void {
  if (depth > MAX_DEPTH) return;
  if (isPersonal && (typeof value === 'string' || typeof value === 'number')) found.add(String(value));
  else if (Array.isArray(value)) for (const item of value) collect(item, fields, key, found, depth + 1, isPersonal);
  else if (isObject(value)) {
    for (const [name, part] of Object.entries(value))
      collect(part, fields, name, found, depth + 1, isPersonal || isCovered(fields, name, key));
  }
}

/** Of the same text always the same, so that events of one person can be brought together. Loaded by those who hash. */
async function createHash(): Promise<(text: string) => string> {
  const { default: loadXxhash } = await import('xxhash-wasm');
  const { h64ToString } = await loadXxhash();
  return (text) => h64ToString(text);
}
