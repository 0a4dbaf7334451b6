import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tenant } from './tenant.ts';
import type { TenantDirectory } from './tenant-directory.ts';

/** What a new tenant's maker learns once: ids, and secrets that exist nowhere else in clear. */
export interface FirstRunSecrets {
  readonly tenant: string;
  readonly management: { readonly client_id: string; readonly client_secret: string };
  readonly admin: { readonly email: string; readonly password: string };
  readonly password_client: { readonly client_id: string; readonly client_secret: string };
  readonly spa_client: { readonly client_id: string };
  readonly user: { readonly email: string; readonly password: string };
  readonly connection: string;
  readonly api: { readonly identifier: string; readonly scopes: readonly string[] };
}

/** first-run.json, and what `gatewright tenant create --json` prints (product.md section 4). */
export interface FirstRun extends Omit<FirstRunSecrets, 'management'> {
  /** https where it is on. */
  readonly origin: string;
  readonly http_origin: string;
  readonly ca_file: string | null;
  readonly management: { readonly client_id: string; readonly client_secret: string; readonly audience: string };
}

/** Adds what depends on this start: ports, and the certificate to trust. */
export function toFirstRun(
  secrets: FirstRunSecrets,
  tenant: Tenant,
  directory: Pick<TenantDirectory, 'canonicalOrigin' | 'localOrigin'>,
  caFile: string | null,
): FirstRun {
  const origin = directory.canonicalOrigin(tenant);
  const isSecure = origin.startsWith('https:');
  return {
    tenant: secrets.tenant,
    origin,
    http_origin: directory.localOrigin(tenant, 'http'),
    ca_file: isSecure ? caFile : null,
    management: { ...secrets.management, audience: `${origin}/api/v2/` },
    admin: secrets.admin,
    password_client: secrets.password_client,
    spa_client: secrets.spa_client,
    user: secrets.user,
    connection: secrets.connection,
    api: secrets.api,
  };
}

export function firstRunFile(dataDir: string): string {
  return join(dataDir, 'first-run.json');
}

/** Appears whole or not at all; only its owner can read it. */
export async function writeFirstRun(dataDir: string, firstRun: FirstRun): Promise<string> {
  const file = firstRunFile(dataDir);
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(firstRun, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return file;
}

/** Undefined where there is none, or none that can be read: its secrets can't be made again. */
export async function readFirstRun(dataDir: string): Promise<FirstRun | undefined> {
  try {
    return JSON.parse(await readFile(firstRunFile(dataDir), 'utf8'));
  } catch {
    return undefined;
  }
}

/** True where there was one. */
export async function forgetFirstRun(dataDir: string): Promise<boolean> {
  const known = await readFirstRun(dataDir);
  await rm(firstRunFile(dataDir), { force: true });
  return known !== undefined;
}
