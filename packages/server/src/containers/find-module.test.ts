import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { createModuleFinder } from './find-module.ts';

it('an action gets the version that it asks for where the checkout or the operator has it, and the newest for latest', async () => {
  const folder = await temporaryFolder();
  const [curated, added] = [join(folder, 'store'), join(folder, 'added')];
  await mkdir(curated);
  const dependencies = {
    lodash: '4.17.9',
    'lodash-4.17.21': 'npm:lodash@4.17.21',
    'lodash-5': 'npm:lodash@4.17.21-beta',
  };
  await writeFile(join(curated, 'package.json'), JSON.stringify({ dependencies }));
  await mkdir(join(added, 'left-pad@1.3.0'), { recursive: true });
  await mkdir(join(added, '@acme+tools@2.0.0'));
  const findModule = createModuleFinder({ curated, added });
  expect(await findModule('lodash', '4.17.9')).toBe('4.17.9');
  expect(await findModule('lodash', '3.0.0')).toBeUndefined();
  expect(await findModule('lodash', 'latest')).toBe('4.17.21');
  expect(await findModule('left-pad', '1.3.0')).toBe('1.3.0');
  expect(await findModule('@acme/tools', 'latest')).toBe('2.0.0');
  expect(await findModule('unknown', 'latest')).toBeUndefined();
  expect(await createModuleFinder({ curated: undefined, added: undefined })('lodash', 'latest')).toBeUndefined();
});
