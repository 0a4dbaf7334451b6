import { createRequire, isBuiltin } from 'node:module';

// The resolver of the module store takes this file's place; until then node's own modules alone are there.

const nodeRequire = createRequire(import.meta.url);

/** `require` of tenant code, for a program's choice of versions. */
export function createTenantRequire(_modules: Readonly<Record<string, string>>): (name: string) => unknown {
  return (name) => {
    if (!isBuiltin(name)) throw new Error(`Cannot find module '${name}'.`);
    return nodeRequire(name);
  };
}
