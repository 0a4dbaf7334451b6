import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './packages/server/test/compile-cache.ts';

// For the processes that hash in the tests' own servers.
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** Files that change their process, as by trusting a certificate authority, or that measure it: each has one of its own. */
const OWN_PROCESS = [
  'packages/server/test/clients/**/*.test.ts',
  'packages/server/test/keyboard.test.ts',
  'packages/server/src/{passwords,tls,db/embedded}/**/*.test.ts',
];
const settings = {
  pool: 'forks' as const,
  // They end what hangs; on two busy cores a test that starts servers takes its time.
  testTimeout: 120_000,
  hookTimeout: 180_000,
  // Bounds as well: what is waited for comes at once where nothing else runs.
  expect: { poll: { timeout: 60_000 } },
};

export default defineConfig({
  test: {
    globalSetup: ['packages/server/test/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...settings,
          name: 'own process',
          include: OWN_PROCESS,
        },
      },
      {
        test: {
          ...settings,
          name: 'shared process',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...OWN_PROCESS, '**/node_modules/**'],
          // The server's modules are loaded once a process, not once a file: a fifth of the CPU time.
          isolate: false,
        },
      },
    ],
  },
});
