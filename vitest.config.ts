import { defineConfig } from 'vitest/config';

/** Viewers count pictures in these: one at a time, and after the rest. */
const alone = ['test/media/{alignment,hub,impact,passthrough,pictures,pip,rtspStays}.test.ts'];

/** They use all of the machine: beside what mostly waits, and not beside those whose time counts. */
const heavy = ['test/media/endurance.test.ts', 'test/native/hubStress.test.ts'];

/** The page with real video. */
const withPicture = 'test/web/{charts,live,pip,pipeline}.test.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    globalSetup: 'test/support/translate.ts',
    // What is waited for comes when the machine has time for it.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'state',
          // Much of it is waiting.
          maxWorkers: 3,
          include: ['test/**/*.test.ts'],
          exclude: ['test/media/**', 'test/native/**', withPicture],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'endurance',
          maxWorkers: 3,
          include: heavy,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'cameras',
          maxWorkers: 3,
          include: ['test/{media,native}/**/*.test.ts', withPicture],
          exclude: [...alone, ...heavy],
          // Real browsers and players on a busy machine: what fails twice is broken.
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'viewers',
          include: alone,
          fileParallelism: false,
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
