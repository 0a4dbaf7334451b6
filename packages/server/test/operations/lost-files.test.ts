import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { place, run, runToEnd } from './command.ts';

it('A file that was deleted from the data folder is named, and nothing is made in its place', {
  timeout: 120_000,
}, async () => {
  const { dataDir, env, folder } = await place();
  const away = join(folder, 'away');
  const server = run(['start'], { env });
  await server.says('Ready after');

  await rm(join(dataDir, 'control.json'));
  const command = await runToEnd(['tenant', 'create', 'acme'], { env });
  expect(command.code).toBe(1);
  expect(command.printed).toMatch(
    new RegExp(
      `A server runs on ${dataDir} \\(process ${server.pid}, started .*\\), but commands can't reach it: .* restart it`,
    ),
  );
  // Not "Port 3000 is in use": the folder says who it is.
  expect((await runToEnd(['start'], { env })).printed).toContain('is in use by another Gatewright (process');
  expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });

  const key = join(dataDir, 'secret.key');
  await rename(key, away);
  const withoutKey = await runToEnd(['start'], { env });
  expect(withoutKey.code).toBe(1);
  expect(withoutKey.printed).toContain(`${key} is missing, and this database holds keys and secrets`);
  expect(withoutKey.printed).toContain('or set GATEWRIGHT_SECRET');
  expect(existsSync(key)).toBe(false);
  await rename(away, key);

  const cluster = join(dataDir, 'pg');
  await rename(cluster, away);
  const withoutCluster = await runToEnd(['start'], { env });
  expect(withoutCluster.code).toBe(1);
  expect(withoutCluster.printed).toContain(`The PostgreSQL cluster ${cluster} is missing`);
  expect(withoutCluster.printed).toContain(`move the whole data folder ${dataDir} away`);
  expect(existsSync(cluster)).toBe(false);
  await rename(away, cluster);

  const restored = run(['start'], { env });
  await restored.says('Ready after');
  expect(await restored.end('SIGTERM')).toMatchObject({ code: 0 });
});
