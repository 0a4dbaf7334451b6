import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PLACES = ['/usr/bin/memcached', '/usr/local/bin/memcached'];
const START_PATIENCE_MS = 10_000;

/** memcached on a unix socket of its own; undefined on a machine without one. */
export async function startMemcached(): Promise<{ address: string; stop(): Promise<void> } | undefined> {
  const path = PLACES.find((place) => existsSync(place));
  if (path === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'gw-bench-'));
  const address = join(folder, 's');
  // It refuses to be root without being told so.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child = spawn(path, [...user, '-s', address, '-t', '1'], { stdio: 'ignore' });
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!existsSync(address)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('memcached did not start.');
    await sleep(10);
  }
  return {
    address,
    async stop() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
