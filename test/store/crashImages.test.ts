import { describe, expect, test } from 'vitest';
import { enumerateCrashes, enumerateSecondCrashes } from '../support/crashWorkload.js';
import { harmfulMutants, harmlessMutants } from '../support/mutantDisks.js';

describe('a power cut at any moment', () => {
  test('loses nothing that was acknowledged, leaves no mixture, and the server starts', async () => {
    const { points, images, complaints } = await enumerateCrashes();
    expect(complaints).toEqual([]);
    expect(points).toBeGreaterThan(100);
    expect(images).toBeGreaterThan(400);
  }, 60_000);

  test('may be followed by another one while the server starts again', async () => {
    const { points, complaints } = await enumerateSecondCrashes(3);
    expect(complaints).toEqual([]);
    expect(points).toBeGreaterThan(500);
  }, 60_000);

  test.each(Object.entries(harmlessMutants))(
    'does no harm where %s, thanks to the snapshot before',
    async (_name, wrap) => {
      const { complaints } = await enumerateCrashes({ wrap, imagesPerPoint: 40 });
      expect(complaints).toEqual([]);
    },
    60_000,
  );
});

describe('the enumeration of power cuts notices when', () => {
  test.each(Object.entries(harmfulMutants))(
    '%s',
    async (_name, wrap) => {
      const { complaints } = await enumerateCrashes({ wrap, imagesPerPoint: 40 });
      expect(complaints).not.toEqual([]);
    },
    60_000,
  );
});
