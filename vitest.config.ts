import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Encoders and players need the machine: what tests them comes after the rest, one file at a time.
    projects: [
      {
        extends: true,
        test: {
          name: 'state',
          include: ['test/**/*.test.ts'],
          exclude: ['test/media/**', 'test/native/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'media',
          include: ['test/{media,native}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
