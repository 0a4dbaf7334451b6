import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/temporary-folder.ts';
import { createKeptCopies } from './kept-copies.ts';
import { makeRunFolder } from './run-folder.ts';

/** No process has this number. */
const GONE = 2 ** 22 + 1;
const NOBODY = 65_534;

describe.skipIf(process.getuid?.() !== 0)('A server that starts as root', () => {
  it('removes what a killed one left, and nothing that somebody else has put there', async () => {
    const leave = () => mkdtemp(join(tmpdir(), `gw-containers-${GONE}-`));
    const [own, other] = [await leave(), await leave()];
    await chown(other, NOBODY, NOBODY);
    const folder = await makeRunFolder(createKeptCopies(await temporaryFolder()));
    const names = await readdir(tmpdir());
    expect([names.includes(basename(own)), names.includes(basename(other))]).toEqual([false, true]);
    await Promise.all([folder.remove(), rm(other, { recursive: true })]);
  });
});
