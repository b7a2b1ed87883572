import { describe, expect, it } from 'vitest';
import { loadGStreamer } from '../../src/media/gstreamer.js';
import { launchText } from '../../src/pipelines/launchText.js';
import { registry } from '../../src/observables/registry.js';
import { knownEncoders } from '../../src/pipelines/encoders.js';
import { effectiveFramerate, type Machine } from '../../src/pipelines/machine.js';
import { channelOf, variantOf } from '../../src/pipelines/pictures.js';
import { plan } from '../../src/pipelines/plan.js';
import { mediaKeys, type MediaSettings } from '../../src/pipelines/settings.js';

const defaults = Object.fromEntries(
  mediaKeys.map((key) => [key, registry[key].default]),
) as unknown as MediaSettings;
const software: Machine = { cores: 2, encoders: ['x264enc', 'x265enc', 'jpegenc'] };
const hardware: Machine = { cores: 4, encoders: ['v4l2h264enc', 'x264enc'] };

describe('the plan', () => {
  it('of the defaults on two cores is this', () => {
    const { pipelines, mounts, framerate } = plan(defaults, software);
    expect(framerate).toBe(30);
    expect(pipelines).toMatchInlineSnapshot(`
      [
        {
          "card": "videotestsrc is-live=true pattern=solid-color foreground-color=0xff20262e ! video/x-raw,format=NV12,width=1920,height=1080,framerate=25/1 ! nv12timestamp format="'NO SIGNAL'" position=center size=90 ! hubsink standby=true channel=raw/primary",
          "channel": "raw/primary",
          "exclusive": false,
          "live": {
            "balance.brightness": "0",
            "balance.contrast": "1",
            "balance.hue": "0",
            "balance.saturation": "1",
            "gamma.gamma": "1",
            "head.contrast": "1.0000",
            "head.hue": "0.0000",
            "turn.degrees": "0",
            "turn.left-to-right": "false",
            "turn.upside-down": "false",
            "zoom.region": "0 0 1 1",
          },
          "name": "capture/primary",
          "preload": false,
          "repeats": false,
          "secrets": {},
          "text": "videotestsrc is-live=true pattern=smpte100 horizontal-speed=2 ! video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1 ! videobalance name=head ! nv12turn name=turn ! nv12zoom name=zoom ! videobalance name=balance ! gamma name=gamma ! hubsink channel=raw/primary",
        },
        {
          "channel": "stream1",
          "codec": "h264",
          "encoding": {
            "bitrate": 8000000,
            "codec": "h264",
            "element": "auto",
            "framerate": 30,
            "latency": "low",
            "preset": "fast",
            "profile": "high",
          },
          "exclusive": false,
          "live": {
            "encoder.bitrate": "8000",
            "frames.max-rate": "30",
            "shape.caps": "video/x-raw,format=NV12,width=1920,height=1080,pixel-aspect-ratio=1/1",
            "time.background": "semi-transparent",
            "time.block": "0",
            "time.colour": "16777215",
            "time.format": "yyyy-MM-dd HH:mm:ss",
            "time.position": "bottom-left",
            "time.size": "24",
            "time.text": "true",
            "time.time-zone": "UTC",
          },
          "name": "encode/stream1",
          "preload": false,
          "repeats": false,
          "secrets": {},
          "text": "hubsrc name=frames channel=raw/primary max-queue=2 history=30000 ! videoscale ! capsfilter name=shape ! nv12timestamp name=time ! x264enc name=encoder tune=zerolatency speed-preset=superfast key-int-max=60 vbv-buf-capacity=150 byte-stream=true option-string=cabac=1:8x8dct=1 ! video/x-h264,profile=high ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! hubsink made-of=raw/primary channel=stream1",
        },
        {
          "channel": "stream2",
          "codec": "h264",
          "encoding": {
            "bitrate": 4000000,
            "codec": "h264",
            "element": "auto",
            "framerate": 30,
            "latency": "low",
            "preset": "fast",
            "profile": "main",
          },
          "exclusive": false,
          "live": {
            "encoder.bitrate": "4000",
            "frames.max-rate": "30",
            "shape.caps": "video/x-raw,format=NV12,width=1280,height=720,pixel-aspect-ratio=1/1",
            "time.background": "semi-transparent",
            "time.block": "0",
            "time.colour": "16777215",
            "time.format": "yyyy-MM-dd HH:mm:ss",
            "time.position": "bottom-left",
            "time.size": "24",
            "time.text": "true",
            "time.time-zone": "UTC",
          },
          "name": "encode/stream2",
          "preload": false,
          "repeats": false,
          "secrets": {},
          "text": "hubsrc name=frames channel=raw/primary max-queue=2 history=30000 ! videoscale ! capsfilter name=shape ! nv12timestamp name=time ! x264enc name=encoder tune=zerolatency speed-preset=superfast key-int-max=60 vbv-buf-capacity=150 byte-stream=true option-string=cabac=1 ! video/x-h264,profile=main ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! hubsink made-of=raw/primary channel=stream2",
        },
      ]
    `);
    expect(mounts.map(({ path }) => path)).toEqual([
      ...['/stream1', '/stream0', '/stream', '/live', '/camera0/stream0', '/onvif/profile_1'],
      ...['/stream2', '/camera0/stream1', '/onvif/profile_2'],
    ]);
  });

  it('is the same for the same settings, and touches nothing', () => {
    const frozen = structuredClone(defaults);
    expect(plan(defaults, software)).toEqual(plan(frozen, software));
    expect(frozen).toEqual(defaults);
  });

  it.each([
    ['streamBitrate', { streamBitrate: 3_000_000 }],
    ['streamResolution', { streamResolution: '1280x720' }],
  ] as const)('changes %s without changing the text of any pipeline', (_key, change) => {
    const small = { ...defaults, streamFramerate: 30 };
    const [before, after] = [plan(small, software), plan({ ...small, ...change }, software)];
    expect(after.pipelines.map(({ text }) => text)).toEqual(before.pipelines.map(({ text }) => text));
    expect(after.pipelines).not.toEqual(before.pipelines);
    expect(after.mounts).toEqual(before.mounts);
  });

  it('runs no faster than the camera', () => {
    const { primary, secondary } = defaults.cameraHeadSettings;
    const slow = { ...defaults, cameraHeadSettings: { primary: { ...primary, fps: 25 }, secondary } };
    const wish = { ...slow, streamFramerate: 120, streamResolution: '640x360' };
    expect([plan(wish, software).framerate, plan(wish, hardware).framerate]).toEqual([25, 25]);
  });

  it('leaves the other stream and the camera alone when one stream changes', () => {
    const before = plan(defaults, software);
    const after = plan({ ...defaults, encoderPreset: 'ultrafast', streamFramerate: 30 }, software);
    const changed = after.pipelines.filter(
      ({ name, text }) => before.pipelines.find((each) => each.name === name)?.text !== text,
    );
    expect(changed.map(({ name }) => name)).toContain('encode/stream1');
    expect(changed.map(({ name }) => name)).not.toContain('capture/primary');
  });

  it('has no second stream where it is switched off', () => {
    const { pipelines, mounts } = plan(
      { ...defaults, stream2: { ...defaults.stream2, enabled: false } },
      software,
    );
    expect(pipelines.map(({ name }) => name)).toEqual(['capture/primary', 'encode/stream1']);
    expect(mounts.some(({ path }) => path === '/stream2')).toBe(false);
  });

  it('takes the first encoder that the machine has, and keeps hardware warm', () => {
    const [, first] = plan(defaults, hardware).pipelines;
    expect(first?.text).toContain('v4l2h264enc name=encoder');
    expect(first?.preload).toBe(true);
    expect(plan(defaults, software).pipelines[1]?.preload).toBe(false);
  });

  it('keeps the bitrate of every encoder among what changes while it runs', () => {
    for (const element of [
      'v4l2h264enc',
      'vah264enc',
      'nvh264enc',
      'vaapih264enc',
      'x264enc',
      'openh264enc',
    ]) {
      const machine: Machine = { cores: 4, encoders: [element] };
      const [, before] = plan(defaults, machine).pipelines;
      const [, after] = plan({ ...defaults, streamBitrate: 3_000_000 }, machine).pipelines;
      expect([element, after?.text]).toEqual([element, before?.text]);
      expect(after?.live).not.toEqual(before?.live);
      expect(after?.encoding).toEqual({ ...before?.encoding, bitrate: 3_000_000 });
    }
  });

  it('takes the encoder that it is told to, where the machine has that', () => {
    const told = { ...defaults, encoderElement: 'x264enc' as const };
    const [, first] = plan(told, hardware).pipelines;
    expect(first?.text).toContain('x264enc name=encoder');
    expect(first?.preload).toBe(false);
    // The codecs that have one encoder each keep theirs.
    expect(plan({ ...told, videoEncoder: 'h265' }, software).pipelines[1]?.text).toContain('x265enc');
    expect(() => plan({ ...defaults, encoderElement: 'vah264enc' }, hardware)).toThrow(
      'This machine has no vah264enc, but v4l2h264enc, x264enc for h264',
    );
  });

  it('says what is missing where nothing encodes', () => {
    expect(() => plan(defaults, { ...software, encoders: [] })).toThrow(
      'This machine has no encoder for h264: none of v4l2h264enc',
    );
  });

  it('opens a camera of its own before it is opened again', () => {
    const heads = defaults.cameraHeadSettings;
    const settings = {
      ...defaults,
      cameraHeadSettings: {
        ...heads,
        primary: { ...heads.primary, source: 'v4l2' as const, device: '/dev/video"7' },
      },
    };
    expect(plan(settings, software).pipelines[0]).toMatchObject({
      exclusive: true,
      text: expect.stringContaining('v4l2src device="/dev/video\\"7"') as string,
    });
  });
});

describe('the frame rate in force', () => {
  it.each([
    [{ streamFramerate: 60 }, software, 30],
    [{ streamFramerate: 60 }, hardware, 60],
    [{ streamFramerate: 60, streamResolution: '1280x720' }, software, 60],
    [{ streamFramerate: 60, streamResolution: '3840x2160' }, software, 8],
    [{ streamFramerate: 15 }, software, 15],
    [{ streamFramerate: 60, encoderElement: 'x264enc' as const }, { ...hardware, cores: 2 }, 30],
    [{ streamFramerate: 30, videoEncoder: 'h265' as const }, software, 4],
    [{ streamFramerate: 30, videoEncoder: 'mjpeg' as const }, software, 30],
    [{ streamFramerate: 60, encoderPreset: 'slow' as const }, { ...software, cores: 1 }, 1],
  ])('of %j is what can be encoded in time, in even steps', (change, machine, expected) => {
    expect(effectiveFramerate({ ...defaults, ...change }, machine)).toBe(expected);
  });
});

describe('every launch text', () => {
  const { addon } = loadGStreamer();
  const machine: Machine = {
    cores: 2,
    encoders: knownEncoders.filter((element) => addon.hasElement(element)),
  };
  const camera = (head: Partial<MediaSettings['cameraHeadSettings']['primary']>): Partial<MediaSettings> => {
    const { primary, secondary } = defaults.cameraHeadSettings;
    return { cameraHeadSettings: { primary: { ...primary, ...head }, secondary } };
  };
  const variants: Partial<MediaSettings>[] = [
    {},
    ...(['h264', 'h265', 'mjpeg'] as const).map((videoEncoder) => ({ videoEncoder })),
    { encoderElement: 'openh264enc' },
    { pipEnabled: true },
    { pipEnabled: true, pipLayout: { ...defaults.pipLayout, mainSource: 'secondary', pipSource: 'primary' } },
    ...(['baseline', 'main', 'high'] as const).map((encoderProfile) => ({ encoderProfile })),
    ...(['ultrafast', 'fast', 'medium', 'slow'] as const).map((encoderPreset) => ({ encoderPreset })),
    ...(['low', 'normal', 'high'] as const).map((streamLatencyMode) => ({ streamLatencyMode })),
    { streamFramerate: 1, streamResolution: '160x120', streamBitrate: 100_000 },
    { activeCameraHead: 1 },
    ...(['NV12', 'I420', 'YUY2', 'MJPG', 'H264'] as const).map((format) =>
      camera({ source: 'v4l2', format }),
    ),
    // What looks like the name of an element of ours.
    camera({ source: 'file', device: '/srv/name=turn name=balance .mp4' }),
    { videoRotation: 90, videoFlip: { horizontal: true, vertical: true }, pipEnabled: true },
    { digitalZoom: { enabled: true, level: 3, panX: 0.5, panY: -0.5 } },
  ];

  it.each(variants)('of %j makes a pipeline of this machine’s GStreamer', (change) => {
    const { pipelines, mounts } = plan({ ...defaults, ...change }, machine);
    for (const { text, live } of pipelines) expect(addon.parse(launchText(text, live))).toBeUndefined();
    for (const { launch } of mounts) expect(addon.parse(launch)).toBeUndefined();
  });

  it('that is wrong is answered in GStreamer’s own words', () => {
    expect(addon.parse('videotestsrc ! nonsense ! hubsink')).toBe('no element "nonsense"');
    expect(addon.parse('videotestsrc !')).toMatch(/./);
  });
});

describe('single pictures', () => {
  const variant = { format: 'jpeg', width: 640, quality: 85, fps: 15, every: 1, marks: 'stream' } as const;

  it('are a pipeline of their own in each form, from whatever fills the picture', () => {
    const pictureVariants = [channelOf(variant), channelOf({ ...variant, format: 'raw', marks: 'plain' })];
    const { pipelines, taps } = plan({ ...defaults, pictureVariants, activeCameraHead: 1 }, software);
    expect(pipelines.slice(3)).toMatchInlineSnapshot(`
      [
        {
          "channel": "picture/jpeg-640-85-15-1-stream",
          "exclusive": false,
          "live": {
            "frames.max-rate": "15",
            "shape.caps": "video/x-raw,format=NV12,pixel-aspect-ratio=1/1,width=[2,640]",
            "time.background": "semi-transparent",
            "time.block": "0",
            "time.colour": "16777215",
            "time.format": "yyyy-MM-dd HH:mm:ss",
            "time.position": "bottom-left",
            "time.size": "24",
            "time.text": "true",
            "time.time-zone": "UTC",
          },
          "name": "picture/jpeg-640-85-15-1-stream",
          "preload": false,
          "repeats": false,
          "secrets": {},
          "text": "hubsrc name=frames channel=raw/secondary max-queue=1 every=1 history=30000 ! videoscale ! capsfilter name=shape ! nv12timestamp name=time ! jpegenc idct-method=ifast quality=85 ! hubsink channel=picture/jpeg-640-85-15-1-stream",
        },
        {
          "channel": "picture/raw-640-0-15-1-plain",
          "exclusive": false,
          "live": {
            "frames.max-rate": "15",
            "shape.caps": "video/x-raw,format=NV12,pixel-aspect-ratio=1/1,width=[2,640]",
          },
          "name": "picture/raw-640-0-15-1-plain",
          "preload": false,
          "repeats": false,
          "secrets": {},
          "text": "hubsrc name=frames channel=raw/secondary max-queue=1 every=1 history=30000 ! videoscale ! capsfilter name=shape ! videoconvert ! video/x-raw,format=RGB ! hubsink channel=picture/raw-640-0-15-1-plain",
        },
      ]
    `);
    expect(taps).toEqual(pictureVariants.map((channel) => ({ channel, camera: 'raw/secondary' })));
    const both = plan({ ...defaults, pictureVariants, pipEnabled: true }, software);
    expect(both.pipelines.at(-1)?.text).toContain('hubsrc name=frames channel=raw/scene');
    expect(both.taps[0]?.camera).toBe('raw/primary');
  });

  it('change nothing of the pipelines that are there', () => {
    const without = plan(defaults, software);
    const many = plan({ ...defaults, pictureVariants: [channelOf(variant)] }, software);
    expect(many.pipelines.slice(0, without.pipelines.length)).toEqual(without.pipelines);
    expect(many.mounts).toEqual(without.mounts);
  });

  it('have one name for one form', () => {
    expect(channelOf(variant)).toBe('picture/jpeg-640-85-15-1-stream');
    expect(variantOf(channelOf(variant))).toEqual(variant);
    // Colours are kept for two pixels together, and what is not encoded has no quality.
    expect(channelOf({ ...variant, width: 641 })).toBe(channelOf(variant));
    const raw = { ...variant, format: 'raw' } as const;
    expect(channelOf({ ...raw, quality: 1 })).toBe(channelOf({ ...raw, quality: 100 }));
  });

  it('carry the time where that is asked for, even where the video does not', () => {
    const silent = { ...defaults, timestampOverlay: { ...defaults.timestampOverlay, enabled: false } };
    const textOf = (marks: 'plain' | 'time' | 'stream'): string | undefined =>
      plan({ ...silent, pictureVariants: [channelOf({ ...variant, marks })] }, software).pipelines.at(-1)
        ?.live['time.text'];
    expect([textOf('plain'), textOf('time'), textOf('stream')]).toEqual([undefined, 'true', 'false']);
  });
});
