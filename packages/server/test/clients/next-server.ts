import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-ports.ts';

const APPLICATION = fileURLToPath(new URL('./next-application/', import.meta.url));
// Next.js finds packages only below its root: a temporary folder of the checkout, which Git ignores.
const FOLDERS = fileURLToPath(new URL('../../../../tmp/', import.meta.url));
const NEXT = createRequire(import.meta.url).resolve('next/dist/bin/next');
const START_MILLISECONDS = 90_000;

export interface NextApplication {
  readonly origin: string;
  close(): Promise<void>;
}

/** A customer's Next.js application (next-application/) in its development server, on a free port. */
export async function startNext(
  environment: (origin: string) => Readonly<Record<string, string>>,
): Promise<NextApplication> {
  await mkdir(FOLDERS, { recursive: true });
  const folder = await mkdtemp(join(FOLDERS, 'next-'));
  await cp(APPLICATION, folder, { recursive: true });
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const child = spawn(process.execPath, [NEXT, 'dev', '--port', String(port), '--hostname', 'localhost'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NEXT_TELEMETRY_DISABLED: '1', ...environment(origin) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Next.js starts workers, which have to end with it.
    detached: true,
  });
  const killWithUs = () => endGroup(child);
  process.once('exit', killWithUs);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  async function close(): Promise<void> {
    process.off('exit', killWithUs);
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    endGroup(child);
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  try {
    await untilAnswers(origin, child, () => printed);
  } catch (error) {
    await close();
    throw error;
  }
  return { origin, close };
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

async function untilAnswers(origin: string, child: ChildProcess, printed: () => string): Promise<void> {
  const end = Date.now() + START_MILLISECONDS;
  while (Date.now() < end && child.exitCode === null) {
    const response = await fetch(origin).catch(() => undefined);
    if (response?.ok) return;
    await sleep(200);
  }
  throw new Error(`Next.js did not start:\n${printed()}`);
}
