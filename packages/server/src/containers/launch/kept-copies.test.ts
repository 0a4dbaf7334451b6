import { chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { createKeptCopies } from './kept-copies.ts';

/** A folder of modules that only its owner may enter, as npm leaves it. */
async function closedStore(version = 1): Promise<string> {
  const store = join(await temporaryFolder(), 'module-store');
  await mkdir(join(store, 'node_modules/hello'), { recursive: true, mode: 0o700 });
  await writeFile(join(store, 'package.json'), '{}', { mode: 0o600 });
  await writeFile(join(store, 'node_modules/hello/index.js'), 'module.exports = 1', { mode: 0o600 });
  await symlink('index.js', join(store, 'node_modules/hello/link.js'));
  await writeFile(join(store, 'node_modules/.package-lock.json'), JSON.stringify({ version }), { mode: 0o600 });
  return store;
}

async function openFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  return folder;
}

it('what only one account can enter is copied once, readable by all, also where two servers start at once', async () => {
  const [store, folder] = [await closedStore(), await openFolder()];
  const [one, other] = await Promise.all([
    createKeptCopies(folder).reach(store),
    createKeptCopies(folder).reach(store),
  ]);
  expect(other).toBe(one);
  expect(await readdir(folder)).toHaveLength(1);
  const file = join(String(one), 'node_modules/hello/link.js');
  expect(await readFile(file, 'utf8')).toBe('module.exports = 1');
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  const { ino } = await stat(file);
  expect(await createKeptCopies(folder).reach(store)).toBe(one);
  expect((await stat(file)).ino).toBe(ino);
});

it('other modules are another copy; what was not used for a month goes', async () => {
  const [store, folder] = [await closedStore(), await openFolder()];
  const copies = createKeptCopies(folder);
  const before = await copies.reach(store);
  await writeFile(join(store, 'node_modules/.package-lock.json'), '{"version":2}');
  const after = await copies.reach(store);
  expect(after).not.toBe(before);
  expect(await readdir(folder)).toHaveLength(2);
  const longAgo = new Date(Date.now() - 31 * 86_400_000);
  await utimes(String(before), longAgo, longAgo);
  await copies.reach(store);
  expect(await readdir(folder)).toEqual([String(after).split('/').at(-1)]);
  copies.stop();
});

it('nothing is kept where others may write, nor of what does not say when it changes', async () => {
  const [store, folder] = [await closedStore(), await openFolder()];
  await chmod(folder, 0o777);
  expect(await createKeptCopies(folder).reach(store)).toBeUndefined();
  const link = join(await openFolder(), 'link');
  await symlink(await openFolder(), link);
  expect(await createKeptCopies(link).reach(store)).toBeUndefined();
  const plain = await temporaryFolder();
  expect(await createKeptCopies(await openFolder()).reach(plain)).toBeUndefined();
});
