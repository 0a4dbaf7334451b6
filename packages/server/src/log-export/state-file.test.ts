import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { defaultStateFile, openStateFile } from './state-file.ts';

const ORIGIN = 'https://example.auth0.com';
const file = async () => join(await temporaryFolder(), 'exports', 'state.json');

describe('the state of an export', () => {
  it('is kept in a file that its owner alone reads', async () => {
    const path = await file();
    const state = await openStateFile(path, ORIGIN);
    expect(await state.load()).toBeUndefined();
    await state.save('42');
    state.release();
    const again = await openStateFile(path, ORIGIN);
    expect(await again.load()).toBe('42');
    again.release();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: 1, origin: ORIGIN, checkpoint: '42' });
  });

  it('is for one run at a time', async () => {
    const path = await file();
    const first = await openStateFile(path, ORIGIN);
    await expect(openStateFile(path, ORIGIN)).rejects.toThrow('one run at a time');
    first.release();
    (await openStateFile(path, ORIGIN)).release();
  });

  it.each([
    ['', 'is no state of an export'],
    ['{"checkpoint":', 'is no state of an export'],
    ['{"version":2}', 'is no state of an export'],
    [
      '{"version":1,"origin":"https://other.auth0.com","checkpoint":"1"}',
      'belongs to the log of https://other.auth0.com',
    ],
  ])('is never taken for the beginning where it is %j', async (text, words) => {
    const path = await file();
    (await openStateFile(path, ORIGIN)).release();
    await writeFile(path, text);
    await expect(openStateFile(path, ORIGIN)).rejects.toThrow(words);
  });

  it('has a file of its own for each tenant and webhook, without the address of the webhook in its name', () => {
    const at = (webhookUrl: string, origin = ORIGIN) => defaultStateFile('/data', { origin, webhookUrl });
    expect(at('https://a.test/secret')).toMatch(/^\/data\/log-export\/example\.auth0\.com-[0-9a-f]{12}\.json$/);
    expect(
      new Set([at('https://a.test/1'), at('https://a.test/2'), at('https://a.test/1', 'http://localhost:3000')]).size,
    ).toBe(3);
  });
});
