import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readTenant, writeSecretFile } from './secret-files.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'gatewright-secrets-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

it('secrets are written for this account alone, also over a file that others could read', async () => {
  const place = await folder();
  const file = join(place, 'services.json');
  await writeFile(file, 'old');
  await chmod(file, 0o644);
  await writeSecretFile(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(place)).toEqual(['services.json']);
});

it.each(['', 'no JSON', 'null', '[]', '{"tenant":"acme-dev"}'])('a file with %j is no tenant', async (text) => {
  const file = join(await folder(), 'acme-dev.json');
  await writeFile(file, text);
  await expect(readTenant(file)).rejects.toThrow('is not what `gatewright tenant create --json` printed');
});
