import { describe, expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import { plan, type MediaPlan } from '../../src/pipelines/plan.js';
import { mediaKeys, type MediaSettings } from '../../src/pipelines/settings.js';

const defaults = Object.fromEntries(
  mediaKeys.map((key) => [key, registry[key].default]),
) as unknown as MediaSettings;
const machine = { cores: 4, encoders: ['x264enc'] };
const free = { height: null, framerate: null };

function laddered(stream1: MediaSettings['adaptiveLadder']['stream1'], more: object = {}): MediaPlan {
  return plan({ ...defaults, ...more, adaptiveLadder: { stream1, stream2: free } }, machine);
}

function pipeline({ pipelines }: MediaPlan, name: string) {
  const found = pipelines.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

describe('the ladder', () => {
  const asWished = laddered(free);

  it('changes nothing while it sets no limits', () => {
    expect(asWished).toEqual(plan(defaults, machine));
  });

  it('makes the picture smaller in its own form, and slower, for one stream alone', () => {
    const less = laddered({ height: 360, framerate: 10 });
    expect(less.framerate).toBe(10);
    const { live } = pipeline(less, 'encode/stream1');
    expect(live['shape.caps']).toContain('width=640,height=360,');
    expect(live['frames.max-rate']).toBe('10');
    for (const name of ['capture/primary', 'encode/stream2'])
      expect(pipeline(less, name)).toEqual(pipeline(asWished, name));
  });

  it('makes nothing larger or faster than people ask for', () => {
    expect(laddered({ height: 2160, framerate: 120 })).toEqual(asWished);
  });

  it('keeps to numbers that encoders take', () => {
    const { live } = pipeline(
      laddered({ height: 333, framerate: null }, { streamResolution: '1280x960' }),
      'encode/stream1',
    );
    expect(live['shape.caps']).toContain('width=444,height=334,');
  });

  it('leaves alone what is passed on as the camera sends it', () => {
    const camera = {
      cameraHeadSettings: {
        ...defaults.cameraHeadSettings,
        primary: {
          ...defaults.cameraHeadSettings.primary,
          source: 'tcp' as const,
          url: 'tcp://127.0.0.1:9',
        },
      },
    };
    const from = pipeline(plan({ ...defaults, ...camera }, machine), 'capture/primary').from ?? '';
    const cameraFormats = { primary: { codec: 'h264', width: 1920, height: 1080, framerate: 30, from } };
    const asItIs = {
      ...{ ...camera, cameraFormats, streamFramerate: 30 },
      timestampOverlay: { ...defaults.timestampOverlay, enabled: false },
    };
    const passed = laddered({ height: 360, framerate: 10 }, asItIs);
    expect(passed.obstacles['stream1']).toBeUndefined();
    expect(passed.framerate).toBe(30);
  });
});
