import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { createSealer } from '../kit/seal.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { createTenantStore } from '../tenants/tenant-store.ts';
import { faultOfSecret, holdsSealed, openSealer, readInstallationSecret } from './installation-secret.ts';
import { makeSigningKey } from './make-signing-key.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { createTenantSecrets } from './tenant-secrets.ts';

let database: TestDatabase;
let db: Database;
let dataDir: string;
const isNeeded = () => holdsSealed(db);

beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase(database.pool);
  const tenants = createTenantStore(db);
  await tenants.insert({ tenantId: 'dev', environment: 'development', isDefault: true, settings: {} });
  await tenants.insert({ tenantId: 'acme', environment: 'production', isDefault: false, settings: {} });
});
afterAll(() => database.drop());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gw-secret-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('the installation’s secret', () => {
  it('is made at the first start, readable by its owner only, and stays', async () => {
    const [one, two] = await Promise.all([
      readInstallationSecret({ given: undefined, dataDir, isNeeded }),
      readInstallationSecret({ given: undefined, dataDir, isNeeded }),
    ]);
    expect(one.bytes.equals(two.bytes)).toBe(true);
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
    expect((await readInstallationSecret({ given: undefined, dataDir, isNeeded })).bytes.equals(one.bytes)).toBe(true);
  });

  it('is GATEWRIGHT_SECRET where that is set, and then no file is made', async () => {
    const given = 'b9c1f0c5d94f47a0b1f05d7e8a2c3e4f';
    expect((await readInstallationSecret({ given, dataDir, isNeeded })).bytes.toString()).toBe(given);
    await expect(readFile(join(dataDir, 'secret.key'))).rejects.toThrow('ENOENT');
  });

  it.each(['short', 'a'.repeat(64), 'ab'.repeat(40)])('is refused when it is guessable: %s', (text) => {
    expect(faultOfSecret(text)).toMatch(/GATEWRIGHT_SECRET .*openssl rand/);
  });

  it('that was cut off is named, not replaced', async () => {
    await writeFile(join(dataDir, 'secret.key'), '');
    await expect(readInstallationSecret({ given: undefined, dataDir, isNeeded })).rejects.toThrow(
      /secret.key is damaged/,
    );
  });

  it('must be the one that the database was sealed with', async () => {
    const given = 'b9c1f0c5d94f47a0b1f05d7e8a2c3e4f';
    const secret = await readInstallationSecret({ given, dataDir, isNeeded });
    const sealer = await openSealer(secret, db);
    const key = await makeSigningKey('dev.localhost', new Date());
    await createSigningKeyStore(db, sealer).insert('dev', key, 'current', new Date());
    await openSealer(secret, db);
    const file = join(dataDir, 'secret.key');
    const withoutFile = readInstallationSecret({ given: undefined, dataDir, isNeeded });
    await expect(withoutFile).rejects.toThrow(`${file} is missing, and this database holds keys and secrets`);
    await expect(withoutFile).rejects.toThrow('If it is lost for good, `gatewright keys reset`');
    expect(await readdir(dataDir)).toEqual([]);
    await writeFile(file, 'x'.repeat(43));
    const other = await readInstallationSecret({ given: undefined, dataDir, isNeeded });
    await expect(openSealer(other, db)).rejects.toThrow(/secret\.key\. Set GATEWRIGHT_SECRET to the value/);
  });
});

describe('a secret of a tenant', () => {
  const sealer = createSealer(Buffer.alloc(32, 1));
  const freshProcess = () => createTenantSecrets({ db, sealer, cache: createTenantCache({ isCurrent: () => true }) });

  it('is the same for all processes that ask for it at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => freshProcess().secretFor('dev', 'succession')));
    expect(new Set(answers.map((secret) => secret.toString('hex')))).toHaveLength(1);
    expect(answers[0]).toHaveLength(32);
  });

  it('is another one for each purpose and tenant, and is stored sealed', async () => {
    const secrets = freshProcess();
    const asked = [
      ['dev', 'one'],
      ['dev', 'two'],
      ['acme', 'one'],
    ] as const;
    const answers = await Promise.all(asked.map(([tenant, purpose]) => secrets.secretFor(tenant, purpose)));
    expect(new Set(answers.map((secret) => secret.toString('hex')))).toHaveLength(3);
    const rows = await db.selectFrom('tenant_secrets').select('sealed').execute();
    for (const row of rows) for (const secret of answers) expect(row.sealed.includes(secret)).toBe(false);
  });
});
