import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    globalSetup: ['packages/server/test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // They end what hangs; on two busy cores a test that starts servers takes its time.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
