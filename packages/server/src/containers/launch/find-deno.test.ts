import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findDeno } from './find-deno.ts';

it("Deno's binary is taken where the lock file knows its content, and nowhere else", async () => {
  const file = join(import.meta.dirname, '../../../../../package-lock.json');
  const { packages } = JSON.parse(await readFile(file, 'utf8'));
  const platforms = Object.keys(packages).filter((path) => /^node_modules\/@deno\/(?:linux|darwin)-/.test(path));
  expect(platforms.length).toBeGreaterThan(3);
  for (const path of platforms) {
    const find = () => findDeno(path.replace('node_modules/', ''));
    if (packages[path].integrity === undefined) expect(find).toThrow(/which is not installed|can't be compared/);
  }
  const { integrity } = packages['node_modules/@deno/linux-x64-glibc'];
  expect(integrity).toMatch(/^sha512-/);
});
