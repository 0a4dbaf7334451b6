// Writes docs/modules.md from module-store/package.json: node scripts/generate-modules.ts
import { writeFile } from 'node:fs/promises';
import { renderModules } from './render-modules.ts';

await writeFile(new URL('../../../docs/modules.md', import.meta.url), renderModules());
