import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderModules } from '../../scripts/render-modules.ts';
import { checkModuleStore, MODULE_STORE } from '../../src/containers/module-folders.ts';
import { readModuleTable } from '../../src/containers/program/module-table.ts';
import { probe, startContainers } from './harness.ts';

const { modules } = readModuleTable({ curated: MODULE_STORE });
/** What one container takes in its memory. */
const MODULES_EACH = 12;

describe('the module store', () => {
  const { execute } = startContainers({ moduleStore: MODULE_STORE, limits: { containersPerPool: 1 } });

  it('is installed', () => {
    expect(checkModuleStore()).toBeUndefined();
    expect(modules.length).toBeGreaterThan(60);
  });

  it('says where it is not installed, and with which command it will be', () => {
    expect(checkModuleStore('/nowhere')).toBe(
      'The modules that tenant code may require are not installed. Run in /nowhere: npm ci --ignore-scripts',
    );
  });

  it.each(modules.map((module, index) => ({ ...module, index })))(
    '$name@$version loads in a container, without a word on the console',
    async ({ name, version, index }) => {
      const job = probe(
        `const loaded = require('${name}@${version}'); return [typeof loaded, Object.keys(loaded).length]`,
      );
      const outcome = await execute({ ...job, tenantId: `tenant-${Math.floor(index / MODULES_EACH)}` });
      expect(outcome).toMatchObject({
        ok: true,
        result: { user: { out: [expect.stringMatching(/^(?:object|function)$/), expect.any(Number)] } },
        console: [],
        warnings: [],
      });
    },
  );

  it.each(modules)('$name@$version is what is installed for it', ({ name, version, specifier }) => {
    const installed = JSON.parse(readFileSync(join(MODULE_STORE, 'node_modules', specifier, 'package.json'), 'utf8'));
    expect([installed.name, installed.version]).toEqual([name, version]);
  });

  it('is what docs/modules.md says (npm run generate:modules)', () => {
    expect(readFileSync(join(MODULE_STORE, '../docs/modules.md'), 'utf8')).toBe(renderModules());
  });

  it('keeps names that Node has too beside the plain name', () => {
    expect(modules.filter(({ specifier }) => isBuiltin(specifier))).toEqual([]);
  });
});
