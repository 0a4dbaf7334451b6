import type { Operation } from './catalogue.ts';
import type { Query } from './parse-query.ts';

/** Applies `fields` and `include_fields` to an answer: to the object, or to each item of a list in any of its styles. */
export function selectFields(answer: unknown, query: Query, operation: Operation): unknown {
  const { fields, include_fields: include } = query;
  if (typeof fields !== 'string' || fields === '') return answer;
  const names = new Set(fields.split(',').map((name) => name.trim()));
  const keep = include === false ? (name: string) => !names.has(name) : (name: string) => names.has(name);
  const { items } = operation;
  if (items === undefined || !isObject(answer) || !Array.isArray(answer[items])) return select(answer, keep);
  return { ...answer, [items]: select(answer[items], keep) };
}

function select(value: unknown, keep: (name: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => select(item, keep));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => keep(name)));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
