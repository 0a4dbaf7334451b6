/** Shorter parts of a name ("Al", "de") stand in too many good passwords. */
const SHORTEST_PART = 3;
/** Profiles come from outside: bounded, whatever they hold. */
const LONGEST_VALUE = 512;

/** Whether a password contains one of the owner's fields, or a word of it; a path reaches into metadata (`user_metadata.first`). */
export function containsPersonalData(
  password: string,
  owner: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): boolean {
  const text = normal(password);
  return fields.some((field) => wordsOf(field, read(owner, field)).some((word) => text.includes(word)));
}

function wordsOf(field: string, value: unknown): string[] {
  if (typeof value !== 'string') return [];
  const text = normal(value.slice(0, LONGEST_VALUE));
  // Of an e-mail address the part before the @ counts: everybody's password may contain "gmail".
  const telling = field === 'email' ? (text.split('@')[0] ?? '') : text;
  const words = [telling, ...telling.split(/[^\p{L}\p{N}]+/u)];
  return words.filter((word) => word.length >= SHORTEST_PART);
}

function read(owner: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = owner;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function normal(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
