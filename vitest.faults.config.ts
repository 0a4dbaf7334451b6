import { defineConfig } from 'vitest/config';

/** `npm run test:faults`: minutes of kills under load; never part of CI. */
export default defineConfig({
  test: {
    include: ['packages/server/test/faults/**/*.ts'],
    globalSetup: ['packages/server/test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 1_200_000,
    hookTimeout: 60_000,
  },
});
