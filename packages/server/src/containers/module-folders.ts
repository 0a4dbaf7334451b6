import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's own modules: module-store/package.json says which, `npm ci` installs them. */
export const MODULE_STORE = fileURLToPath(new URL('../../../../module-store', import.meta.url));

/** Where `gatewright modules add` puts further ones. */
export function addedModulesFolder(dataFolder: string): string {
  return join(dataFolder, 'modules');
}

/** What is wrong with the store, for the operator; undefined where it is there. */
export function checkModuleStore(folder = MODULE_STORE): string | undefined {
  // npm writes it last.
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return undefined;
  return `The modules that tenant code may require are not installed. Run in ${folder}: npm ci --ignore-scripts`;
}
