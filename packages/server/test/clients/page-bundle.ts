import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/**
 * One script of a page's module and all that it imports, as a customer's build makes it. `page`: a file of this folder.
 * `reactOf`: the package whose React all of them use; two versions in one page don't go together.
 */
export async function bundleOf(page: string, reactOf?: string): Promise<string> {
  const folder = reactOf && createRequire(import.meta.resolve(reactOf));
  const result = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    resolve: { alias: folder ? ['react', 'react-dom'].map((name) => alias(name, folder)) : [] },
    build: {
      write: false,
      rolldownOptions: { input: fileURLToPath(new URL(page, import.meta.url)), output: { format: 'es' } },
    },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) throw new Error('The page was not built.');
  return output.output[0].code;
}

function alias(name: string, from: NodeJS.Require): { find: RegExp; replacement: string } {
  return { find: new RegExp(`^${name}(?=/|$)`), replacement: dirname(from.resolve(`${name}/package.json`)) };
}
