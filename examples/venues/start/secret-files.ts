import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import type { NewTenant } from './gatewright.ts';
import { type EnvironmentSettings, setUpEnvironment } from './set-up-environment.ts';

/** A file of this account alone: whole, or not at all. */
export async function writeSecretFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Sets up the tenant of a file from `gatewright tenant create --json`, and writes what the services have to be told into another one. */
export async function setUpFromFile(file: string, to: string): Promise<EnvironmentSettings> {
  const settings = await setUpEnvironment(await readTenant(file));
  await writeSecretFile(to, `${JSON.stringify(settings, null, 2)}\n`);
  return settings;
}

export async function readTenant(file: string): Promise<NewTenant> {
  const text = await readFile(file, 'utf8');
  let tenant: Partial<NewTenant> | null = null;
  try {
    tenant = JSON.parse(text);
  } catch {}
  if (!tenant?.tenant || !tenant.origin || !tenant.management || !tenant.connection)
    throw new Error(`${file} is not what \`gatewright tenant create --json\` printed.`);
  return tenant as NewTenant;
}
