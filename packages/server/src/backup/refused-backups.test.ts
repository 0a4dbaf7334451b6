import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  backUp,
  createFolders,
  type Parts,
  putTogether,
  restoreConfig,
  takeApart,
} from '../../test/backup-files.ts';
import { createTestDatabase, type TestDatabase } from '../../test/test-database.ts';
import { startWorld, WORLD_SECRET } from '../../test/world.ts';
import { encodeFrame } from '../kit/frames.ts';
import { restore } from '../start/offline.ts';

let folders: Awaited<ReturnType<typeof createFolders>>;
let target: TestDatabase;
let file: Buffer;

beforeAll(async () => {
  folders = await createFolders();
  target = await createTestDatabase({ migrated: false });
  const world = await startWorld();
  await world.visitor().logIn();
  file = await backUp(world.database.poolOptions);
  await world.stop();
});
afterAll(async () => {
  await target.drop();
  await folders.remove();
});

async function attempt(
  content: Buffer,
  { secret = WORLD_SECRET, withoutKey = false, logEpoch = undefined as number | undefined } = {},
) {
  const dataDir = await folders.newFolder();
  const config = restoreConfig(target.url, dataDir, withoutKey ? undefined : secret);
  const path = await folders.fileOf(content);
  return restore(config, { info: () => {} }, { path, withoutKey, logEpoch });
}

/** Whatever is refused: not one table is there afterwards. */
async function expectRefusal(content: Buffer, words: RegExp, options?: Parameters<typeof attempt>[1]): Promise<void> {
  await expect(attempt(content, options)).rejects.toThrow(words);
  expect(await ask(target.url, `select relname from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
}

/** The same file with something else in it, sealed as only the owner of the key can. */
function changed(change: (parts: Parts) => void): Buffer {
  const parts = takeApart(file);
  change(parts);
  return putTogether(parts);
}

const at = <Item>(items: readonly Item[], place: number): Item => {
  const item = items.at(place);
  if (item === undefined) throw new Error('There is no such item.');
  return item;
};

describe('A backup file is refused, and nothing is written, when it', () => {
  it.each([0, 10, 500, 0.3, 0.6, 0.99])('was cut off (after %s)', async (length) => {
    const end = length < 1 ? Math.floor(file.length * length) : length;
    await expectRefusal(file.subarray(0, end), /is no backup of Gatewright|is cut off: its end is missing/);
  });

  it('lacks its last byte, or has one more', async () => {
    await expectRefusal(file.subarray(0, -1), /is cut off/);
    await expectRefusal(Buffer.concat([file, Buffer.from('\n')]), /is cut off/);
  });

  it.each([25, 300, 0.4, 0.5, 0.7, 0.97])('has one bit turned over (at %s)', async (place) => {
    const damaged = Buffer.from(file);
    const position = place < 1 ? Math.floor(file.length * place) : place;
    damaged[position] = (damaged[position] ?? 0) ^ 4;
    await expectRefusal(damaged, /is damaged: its content does not fit its checksum\. Nothing was written\./);
  });

  it('is some other file', async () => {
    await expectRefusal(Buffer.from('PGDMP and so on'), /is no backup of Gatewright, or one of a later format/);
    await expectRefusal(Buffer.alloc(0), /is no backup of Gatewright/);
  });

  it('was changed by somebody without the key, with all checksums right', async () => {
    const forged = takeApart(file);
    const before = forged.body.toString('latin1');
    forged.body = Buffer.from(before.replaceAll('user@dev.example.com', 'evil@dev.example.com'), 'latin1');
    expect(forged.body.toString('latin1')).not.toBe(before);
    const forger = Buffer.from('the forger has a key, but another one');
    await expectRefusal(putTogether(forged, forger), /names your key \([0-9a-f]{16}\) but was not sealed with it/);
  });

  it('says more or fewer rows, or other ones, than it has', async () => {
    for (const difference of [1, -1])
      await expectRefusal(
        changed(({ summary }) => {
          const table = at(summary.tables, -1);
          Object.assign(table, { rows: table.rows + difference });
        }),
        /is damaged/,
      );
    const other = createHash('sha256').update('other rows').digest('hex');
    await expectRefusal(
      changed(({ summary }) => void Object.assign(at(summary.tables, 1), { sha256: other })),
      /is damaged/,
    );
  });

  it('holds SQL where a name belongs', async () => {
    const evil = 'users; drop table users; --';
    await expectRefusal(
      changed(({ header }) => void Object.assign(at(header.tables, 0), { name: evil })),
      /is damaged/,
    );
    await expectRefusal(
      changed(({ header }) => void Object.assign(at(header.tables, 0), { columns: ['a) from stdin; --'] })),
      /is damaged/,
    );
    await expectRefusal(
      changed(({ header }) => void Object.assign(at(header.sequences, 0), { name: `x'); drop table users; --` })),
      /is damaged/,
    );
    await expectRefusal(
      changed(({ header }) => void Object.assign(header, { logDays: [`20260101'); drop`] })),
      /is damaged/,
    );
  });

  it('names a table, a column or a sequence that its schema does not have', async () => {
    await expectRefusal(
      changed(({ header, summary }) => {
        Object.assign(at(header.tables, 0), { name: 'pg_authid' });
        Object.assign(at(summary.tables, 0), { name: 'pg_authid' });
      }),
      /does not fit its own schema version \(table pg_authid\)/,
    );
    await expectRefusal(
      changed(({ header }) => void Object.assign(at(header.tables, 2), { columns: ['tenant_id', 'power'] })),
      /does not fit its own schema version/,
    );
    await expectRefusal(
      changed(({ header }) => void Object.assign(at(header.sequences, 0), { name: 'other_seq' })),
      /does not fit its own schema version \(sequence other_seq\)/,
    );
  });

  it('holds rows that break a rule of the tables', async () => {
    const orphan = changed((parts) => {
      const text = parts.body.toString('latin1');
      const row = 'ghost\thttps://ghost.example\tt\n';
      const head = encodeFrame('T', Buffer.from('tenant_origins')).toString('latin1');
      expect(text).toContain(head);
      const frame = encodeFrame('D', Buffer.from(row)).toString('latin1');
      parts.body = Buffer.from(text.replace(head, head + frame), 'latin1');
      const place = parts.header.tables.findIndex(({ name }) => name === 'tenant_origins');
      const sha256 = createHash('sha256').update(row).digest('hex');
      Object.assign(at(parts.summary.tables, place), { rows: 1, bytes: row.length, sha256 });
      Object.assign(parts.summary, { bytes: parts.summary.bytes + row.length });
    });
    await expectRefusal(orphan, /PostgreSQL refused the rows of tenant_origins: .*foreign key/);
  });

  it('would unpack to far more than it says, or than a real one could', async () => {
    const zeros = encodeFrame('D', Buffer.alloc(1_000_000));
    const bomb = (says: number) =>
      changed((parts) => {
        const [table] = parts.header.tables;
        const head = encodeFrame('T', Buffer.from(table?.name ?? ''));
        parts.body = Buffer.concat([head, ...Array.from({ length: 300 }, () => zeros)]);
        const difference = says - at(parts.summary.tables, 0).bytes;
        Object.assign(at(parts.summary.tables, 0), { bytes: says });
        Object.assign(parts.summary, { bytes: parts.summary.bytes + difference });
      });
    await expectRefusal(bomb(10), /is damaged/);
    await expectRefusal(bomb(300_000_000), /would unpack to a thousand times its size/);
  });

  it('comes from a newer version, which is named', async () => {
    await expectRefusal(
      changed(({ header }) =>
        Object.assign(header, {
          gatewright: '9.0.0',
          migrations: [...header.migrations, { number: 9001, name: '9001_flying.sql' }],
        }),
      ),
      /made by a newer Gatewright \(9\.0\.0\): it has 9001_flying\.sql, which this version does not know/,
    );
  });

  it('is to begin an epoch of the log that it has had', async () => {
    await expectRefusal(file, /log epoch must be from 1 to 999/, { logEpoch: 0 });
  });
});

describe('The key of a backup', () => {
  it('is asked for before anything is made, by its name', async () => {
    const dataDir = join(await folders.newFolder(), 'new');
    const config = restoreConfig(target.url, dataDir);
    const path = await folders.fileOf(file);
    await expect(restore(config, { info: () => {} }, { path, withoutKey: false, logEpoch: undefined })).rejects.toThrow(
      /the key that opens them \([0-9a-f]{16}\) is not here\. Set GATEWRIGHT_SECRET .* Nothing was written\./,
    );
    expect(existsSync(dataDir)).toBe(false);
  });

  it('is not another one', async () => {
    const secret = Buffer.from('some other installation has this key');
    await expectRefusal(file, /sealed with another key \([0-9a-f]{16}\) than the one in GATEWRIGHT_SECRET/, { secret });
  });

  it('is not given up where it is at hand', async () => {
    const dataDir = await folders.newFolder();
    const config = restoreConfig(target.url, dataDir, WORLD_SECRET);
    const path = await folders.fileOf(file);
    await expect(restore(config, { info: () => {} }, { path, withoutKey: true, logEpoch: undefined })).rejects.toThrow(
      /GATEWRIGHT_SECRET opens this backup: restore it without --without-key/,
    );
  });
});

describe('A database that is not empty', () => {
  it('is never written to', async () => {
    const database = await createTestDatabase({ migrated: false });
    await ask(database.url, 'create table someone_elses (n int)');
    const config = restoreConfig(database.url, await folders.newFolder(), WORLD_SECRET);
    const path = await folders.fileOf(file);
    const request = { path, withoutKey: false, logEpoch: undefined };
    await expect(restore(config, { info: () => {} }, request)).rejects.toThrow(
      /The database of DATABASE_URL is not empty \(it has 1 tables: someone_elses\)/,
    );
    await database.drop();
  });

  it('or that a server is connected to, is left alone', async () => {
    const world = await startWorld();
    const config = restoreConfig(world.database.url, await folders.newFolder(), WORLD_SECRET);
    const path = await folders.fileOf(file);
    const request = { path, withoutKey: false, logEpoch: undefined };
    await expect(restore(config, { info: () => {} }, request)).rejects.toThrow(
      /A Gatewright server is connected to this database\. Stop it first\./,
    );
    await world.stop();
  });
});
