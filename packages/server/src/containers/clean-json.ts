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

/**
 * A job's input as text. Users write metadata, and a rule that merges them with an old lodash would change the prototype of
 * all objects of the container, which the tenant's users share: a `constructor` that holds a `prototype` is left out.
 */
export function inputText(input: unknown): string {
  const text = JSON.stringify(input) ?? 'null';
  return text.includes('"constructor"') ? JSON.stringify(input, withoutPrototypes) : text;
}

function withoutPrototypes(name: string, value: unknown): unknown {
  return name === 'constructor' && isContainer(value) && Object.hasOwn(value, 'prototype') ? undefined : value;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
