/** Deeper values make recursive code of libraries overflow its stack. */
const DEEPEST = 100;
/** Names by which code that merges members reaches a prototype. */
const DANGEROUS = ['__proto__', 'constructor', 'prototype'];

/**
 * What JSON.parse made of a stranger's text, without the members that could change a prototype later. Undefined where it
 * is nested too deeply. A loop, since the text may be nested as deeply as it is long.
 */
export function cleanJson(value: unknown): { readonly value: unknown } | undefined {
  let level: object[] = isContainer(value) ? [value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === DEEPEST) return undefined;
    const next: object[] = [];
    for (const container of level) {
      if (!Array.isArray(container))
        for (const name of DANGEROUS) if (Object.hasOwn(container, name)) Reflect.deleteProperty(container, name);
      for (const member of Object.values(container)) if (isContainer(member)) next.push(member);
    }
    level = next;
  }
  return { value };
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
