import { chmod, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probe, seen, startContainers } from '../../../test/containers/harness.ts';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { createLog } from '../../kit/log.ts';
import { findDeno } from './find-deno.ts';

describe.skipIf(process.getuid?.() !== 0)('Started by root, a container', () => {
  it('runs under another account, although only root may enter the folders of its binary and modules', async () => {
    const closed = await temporaryFolder();
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
    const deno = join(closed, 'deno');
    await copyFile(findDeno(), deno);
    await chmod(deno, 0o700);
    const moduleStore = join(closed, 'modules');
    const folder = join(moduleStore, 'node_modules/hello');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'data.json'), '{"hello":"world"}', { mode: 0o600 });
    const copiesFolder = await temporaryFolder();
    await chmod(copiesFolder, 0o755);
    const { execute } = startContainers({ deno, moduleStore, copiesFolder });
    const read = probe(
      `const store = process.argv[2]; return require('fs').readFileSync(store + '/node_modules/hello/data.json', 'utf8')`,
    );
    expect(await execute(read)).toMatchObject({ ok: true, result: { user: { out: '{"hello":"world"}' } } });
  });
});

describe('A container whose binary is not there', () => {
  const lines: string[] = [];
  const { execute } = startContainers({
    deno: '/not-there/deno',
    log: createLog('json', (line) => lines.push(line)),
  });

  it("names the path to the operator, and not in the tenant's log", async () => {
    const outcome = await execute(probe('return 1'));
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    expect(JSON.stringify(outcome)).toContain('does not start');
    expect(JSON.stringify(outcome)).not.toContain('/not-there');
    expect(lines.join()).toContain('/not-there/deno');
  });
});

describe('A container that is started after the first one', () => {
  const { check, execute } = startContainers();

  it('starts from what Deno made of the program before, which no container may change', async () => {
    expect(await check()).toBeUndefined();
    const outcome = await execute(probe("return Deno.env.get('DENO_DIR')"));
    const cache = String(outcome.ok && Object(outcome.result).user.out);
    expect(await readdir(cache)).toEqual(expect.arrayContaining(['gen', 'v8_code_cache_v2']));
    for (const entry of await readdir(cache, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) expect((await stat(join(entry.parentPath, entry.name))).mode & 0o222).toBe(0);
    const write = `await Deno.writeTextFile('${cache}/v8_code_cache_v2', ''); return 'written'`;
    expect(seen(await execute(probe(write)))).toMatch(/^ERROR/);
  });
});
