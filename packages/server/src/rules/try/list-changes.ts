import { isObject } from '../../kit/json-values.ts';

/** One difference between two JSON values; `before` or `after` is missing where there was nothing. */
export interface Change {
  /** `context.idToken["https://example.com/roles"]` */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Members that differ, each at the deepest place that says it; lists are compared as a whole. */
export function listChanges(path: string, before: unknown, after: unknown): Change[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isObject(before) || !isObject(after))
    return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => listChanges(path + member(name), own(before, name), own(after, name)));
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function member(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
