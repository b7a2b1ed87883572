import { describe, expect, test } from 'vitest';
import { enumerateCrashes } from '../support/crashWorkload.js';

describe('a power cut at any moment', () => {
  test('loses nothing that was acknowledged, leaves no mixture, and the server starts', async () => {
    const { points, images, complaints } = await enumerateCrashes();
    expect(complaints).toEqual([]);
    console.log(points, images);
    expect(points).toBeGreaterThan(150);
    expect(images).toBeGreaterThan(1000);
  }, 60_000);
});
