import { describe, expect, it } from 'vitest';
import type { AnyDefinition } from '../../src/observables/define.js';
import { builtInRoles, permissions } from '../../src/observables/permissions.js';
import { registry } from '../../src/observables/registry.js';

const definitions: readonly (readonly [string, AnyDefinition])[] = Object.entries(registry);

describe('the contract', () => {
  const Media = ['Media_r', 'Media_rw'];
  const Device = ['Device_r', 'Device_rw'];
  const Network = ['Network_r', 'Network_rw'];
  const Storage = ['Storage_r', 'Storage_rw'];
  const System = ['System_r', 'System_rw'];
  const User = ['User_r', 'User_rw'];
  const Firmware = ['FirmwareUpdate_r', 'FirmwareUpdate_rw'];
  const none: string[] = [];
  /** key, default (undefined: not part of the contract), read, write, saved, effect where it is given. */
  const rows: readonly (readonly [
    string,
    unknown,
    readonly string[],
    readonly string[],
    boolean,
    string?,
  ])[] = [
    ['rtspEnabled', true, Media, ['Media_rw'], true, 'live'],
    ['rtspPort', 8554, Media, ['Media_rw'], true, 'live'],
    ['rtspPath', '/stream1', Media, none, true, 'none'],
    ['rtspsEnabled', false, Media, ['Media_rw'], true, 'live'],
    ['rtspsPort', 322, Media, ['Media_rw'], true, 'live'],
    ['webrtcEnabled', false, Media, ['Media_rw'], true, 'live'],
    ['webrtcIceServers', [], Media, ['Media_rw'], true, 'live'],
    ['streamResolution', '1920x1080', Media, ['Media_rw'], true, 'renegotiate'],
    ['streamFramerate', 60, Media, ['Media_rw'], true, 'renegotiate'],
    ['streamBitrate', 8_000_000, Media, ['Media_rw'], true, 'live'],
    ['streamBitrateEffective', 8_000_000, Media, none, false],
    ['rtspAuth', 'required', Media, ['Media_rw'], true, 'live'],
    ['videoEncoder', 'h264', Media, ['Media_rw'], true, 'rebuild'],
    ['encoderProfile', 'high', Media, ['Media_rw'], true, 'rebuild'],
    ['encoderPreset', 'fast', Media, ['Media_rw'], true, 'rebuild'],
    ['streamLatencyMode', 'low', Media, ['Media_rw'], true, 'rebuild'],
    [
      'streamAlignment',
      { enabled: true, method: 'timestamp', maxLatencyMs: 100, syncTolerance: 33 },
      Media,
      ['Media_rw'],
      true,
      'live',
    ],
    ['pipEnabled', false, Media, ['Media_rw'], true, 'rebuild'],
    [
      'pipLayout',
      {
        mainSource: 'primary',
        pipSource: 'secondary',
        pipPosition: 'bottom-right',
        pipScale: 0.25,
        pipBorder: true,
      },
      Media,
      ['Media_rw'],
      true,
      'live',
    ],
    [
      'timestampOverlay',
      {
        enabled: true,
        position: 'bottom-left',
        format: 'yyyy-MM-dd HH:mm:ss',
        fontSize: 24,
        color: 'white',
        background: 'semi-transparent',
      },
      Media,
      ['Media_rw'],
      true,
      'live',
    ],
    [
      'logoOverlay',
      { enabled: false, image: '', position: 'top-right', scale: 0.1, opacity: 0.8 },
      Media,
      ['Media_rw'],
      true,
      'live',
    ],
    ['recordingState', 'stopped', Media, ['Media_rw'], false, 'live'],
    ['recordingMode', 'video', Media, ['Media_rw'], true, 'none'],
    ['currentRecordingFile', '', Media, none, false],
    ['timelapseInterval', 5000, Media, ['Media_rw'], true, 'live'],
    ['timelapseDuration', 3_600_000, Media, ['Media_rw'], true, 'live'],
    ['slowMotionFps', 120, Media, ['Media_rw'], true, 'live'],
    ['categories', {}, Media, none, true],
    ['categoryCounter', 1, none, none, true],
    ['networkStats', { availableBandwidth: 0, packetLoss: 0, rtt: 0, jitter: 0 }, Media, none, false],
    [
      'streamStats',
      { clientCount: 0, totalBytesStreamed: 0, currentBitrate: 0, frameDrops: 0, errors: 0, uptime: 0 },
      Media,
      none,
      false,
    ],
    ['activeCameraHead', 0, Device, ['Device_rw'], false],
    [
      'imageSettings',
      { brightness: 50, contrast: 50, saturation: 50, hue: 0, sharpness: 50, gamma: 100 },
      Device,
      ['Device_rw'],
      true,
    ],
    ['whiteBalance', { mode: 'auto', temperature: 5500 }, Device, ['Device_rw'], true],
    ['autoExposure', { enabled: true, mode: 'average', compensation: 0 }, Device, ['Device_rw'], true],
    ['manualExposure', { shutterSpeed: 16_666, iso: 400, aperture: 2.8 }, Device, ['Device_rw'], true],
    ['denoiseStrength', 50, Device, ['Device_rw'], true],
    ['digitalZoom', { enabled: false, level: 1, panX: 0, panY: 0 }, Device, ['Device_rw'], true],
    ['videoRotation', 0, Device, ['Device_rw'], true],
    ['videoFlip', { horizontal: false, vertical: false }, Device, ['Device_rw'], true],
    ['lightEnabled', true, Device, ['Device_rw'], true],
    ['lightIntensity', 100, Device, ['Device_rw'], true],
    ['lightTemperature', 5500, Device, ['Device_rw'], true],
    [
      'discRotation',
      { enabled: false, direction: 'stopped', speed: 0, position: 0 },
      Device,
      ['Device_rw'],
      false,
    ],
    ['autoRotate', { enabled: false, sensitivity: 5, threshold: 10 }, Device, ['Device_rw'], true],
    ['dhcpEnabled', true, Network, ['Network_rw'], false],
    ['subnetMask', '255.255.255.0', Network, ['Network_rw'], false],
    ['dnsServers', [], Network, ['Network_rw'], false],
    ['ntpEnabled', true, Network, ['Network_rw'], false],
    ['netStorageEnabled', false, Storage, ['Storage_rw'], true],
    ['netStoragePath', '', Storage, ['Storage_rw'], true],
    ['storageDevices', [], Storage, none, false],
    ['timezone', 'UTC', System, ['System_rw'], true],
    ['cpuUsage', 0, System, none, false],
    ['users', {}, User, ['User_rw'], true],
    ['userPasswords', {}, none, ['User_rw'], false],
    ['anonymousPermissions', [], User, ['User_rw'], true],
    [
      'stream2',
      { enabled: true, resolution: '1280x720', framerate: 30, bitrate: 4_000_000, profile: 'main' },
      Media,
      ['Media_rw'],
      true,
      'rebuild',
    ],
    [
      'adaptiveBitrate',
      expect.objectContaining({ mode: 'auto', min: 500_000, max: 12_000_000 }),
      Media,
      ['Media_rw'],
      true,
      'live',
    ],
    ['adaptiveState', { active: false, streams: {}, viewers: {} }, Media, none, false],
    ['changePostName', '', Media, ['Media_rw'], false],
    ['pictureQuality', 85, Media, ['Media_rw'], true],
    [
      'videoRecordingSettings',
      expect.objectContaining({ resolution: '1920x1080', fps: 60, bitrate: 8_000_000, format: 'mp4' }),
      Media,
      ['Media_rw'],
      true,
      'none',
    ],
    [
      'timelapseSettings',
      expect.objectContaining({ interval: 5000, duration: 3_600_000, format: 'mp4' }),
      Media,
      ['Media_rw'],
      true,
      'none',
    ],
    [
      'slowMotionSettings',
      expect.objectContaining({ captureFps: 120, playbackFps: 30, bitrate: 12_000_000, format: 'mp4' }),
      Media,
      ['Media_rw'],
      true,
      'none',
    ],
    [
      'cameraHeadSettings',
      {
        primary: expect.objectContaining({
          device: '/dev/video0',
          format: 'NV12',
          resolution: '1920x1080',
          fps: 60,
        }) as unknown,
        secondary: expect.objectContaining({
          device: '/dev/video1',
          format: 'NV12',
          resolution: '1920x1080',
          fps: 60,
        }) as unknown,
      },
      Device,
      ['Device_rw'],
      true,
      'rebuild',
    ],
    ['cam0Exists', true, Device, none, false],
    ['cam1Exists', true, Device, none, false],
    ['cam0SelectedSensor', 1, Device, ['Device_rw'], true],
    ['cam1SelectedSensor', 1, Device, ['Device_rw'], true],
    ['uvcDevices', [], Device, none, false],
    ['gain', 50, Device, ['Device_rw'], true],
    ['redGain', 50, Device, ['Device_rw'], true],
    ['blueGain', 50, Device, ['Device_rw'], true],
    ['noiseSuppression', false, Device, ['Device_rw'], true],
    ['colorGrading', { enabled: false, lut: '', intensity: 1 }, Device, ['Device_rw'], true],
    ['headSensors', { proximity: false, position: 0, contact: false }, Device, none, false],
    ['fpgaTemperature', 25, Device, none, false],
    ['light0', false, Device, ['Device_rw'], true],
    ['light1', false, Device, ['Device_rw'], true],
    ['recordingStorage', { primary: '', backup: '', network: '' }, Storage, ['Storage_rw'], true],
    ['storageSpace', { total: 0, available: 0, used: 0 }, Storage, none, false],
    ['hostname', 'obscura', Network, ['Network_rw'], false],
    ['ipAddress', '', Network, ['Network_rw'], false],
    ['gateway', '', Network, ['Network_rw'], false],
    ['ntpServers', ['pool.ntp.org'], Network, ['Network_rw'], false],
    ['mdnsEnabled', true, Network, ['Network_rw'], true],
    ['onvifDiscoverable', true, Network, ['Network_rw'], true],
    ['onvifEnabled', true, Network, ['Network_rw'], true],
    ['httpPort', 8080, Network, ['Network_rw'], true, 'live'],
    ['httpsPort', 8081, Network, ['Network_rw'], true, 'live'],
    ['httpServerEnabled', true, Network, ['Network_rw'], true, 'live'],
    ['httpsServerEnabled', true, Network, ['Network_rw'], true, 'live'],
    ['systemInfo', expect.any(Object), System, none, false],
    ['memoryUsage', { used: 0, total: 0, percent: 0 }, System, none, false],
    ['time', expect.any(String), System, none, false],
    ['swVersionNumber', '', [...System, ...Firmware], none, false],
    ['updateAvailable', false, Firmware, none, false],
    ['apiTokens', {}, User, none, true],
    ['credentials', {}, none, none, true],
    ['customRoles', {}, User, ['User_rw'], true],
    ['currentUser', '', ['Authenticated'], none, false],
  ];

  it.each(rows)('%s is as it says', (key, value, read, write, saved, effect) => {
    const definition = definitions.find(([name]) => name === key)?.[1];
    if (definition?.kind !== 'setting') throw new Error(`no setting ${String(key)} is declared`);
    expect(definition.default).toEqual(value);
    expect(definition.read).toEqual(read);
    expect(definition.write).toEqual(write);
    expect(definition.save).toBe(saved);
    if (effect !== undefined) expect(definition.effect).toBe(effect);
  });

  it.each([
    ['resolution', ['streamResolution'], Media, 'Media_rw'],
    ['fps', ['streamFramerate'], Media, 'Media_rw'],
    ['pip', ['pipEnabled', 'pipLayout'], Media, 'Media_rw'],
    ['record', ['recordingState'], Media, 'Media_rw'],
    ['exposure', ['autoExposure'], Device, 'Device_rw'],
    ['cameraSwitch', ['activeCameraHead'], Device, 'Device_rw'],
    ...['brightness', 'contrast', 'saturation', 'hue', 'sharpness', 'gamma'].map(
      (key) => [key, ['imageSettings'], Device, 'Device_rw'] as const,
    ),
  ] as const)('%s is another sight of %j', (key, from, read, write) => {
    const definition = definitions.find(([name]) => name === key)?.[1];
    if (definition?.kind !== 'view') throw new Error(`no view ${key} is declared`);
    expect(definition.from.map((source) => source.key)).toEqual(from);
    expect(definition).toMatchObject({ read, write: [write] });
  });

  it.each([
    ['restart', ['Reboot_rw']],
    ['systemReboot', ['Reboot_rw']],
    ['reset', ['FirmwareUpdate_rw']],
    ['takePicture', ['Media_rw']],
    ['changeTagCategory', ['Media_rw']],
  ])('%s is an action for %j', (key, write) => {
    const definition = definitions.find(([name]) => name === key)?.[1];
    expect(definition).toMatchObject({ kind: 'action', write });
  });

  it('leaves nothing out but what is computed or our own', () => {
    const ours = [
      'adaptiveLadder',
      'alignmentStatus',
      'cameraFormats',
      'cameraStatus',
      'capabilities',
      'encoderElement',
      'streamFramerateEffective',
      'streamPassthrough',
      'streamPassthroughStatus',
      'statistics',
      'streamPreload',
      'streamRecent',
      'streamRenditions',
      'allowedOrigins',
      'locks',
      'logLevel',
      'photoInterval',
      'photoRetention',
      'photoStatus',
      'pictureVariants',
      'pipCanvas',
      'presets',
      'processLoad',
      'rateLimits',
      'rtspMaxSessions',
      'rtspMulticast',
      'schedules',
      'timeBlock',
      'videoDevices',
      'webhooks',
      'webhookStatus',
      'webrtcMaxSessions',
    ];
    const named = new Set<unknown>([
      ...rows.map(([key]) => key),
      ...ours,
      'sessionIdleMinutes',
      'tlsCertificate',
    ]);
    const settings = definitions.filter(([, { kind }]) => kind === 'setting').map(([key]) => key);
    expect(settings.filter((key) => !named.has(key))).toEqual([]);
  });

  it('has fifteen permissions in their order, and four roles', () => {
    expect(permissions).toHaveLength(15);
    expect(permissions.indexOf('Reboot_rw')).toBe(14);
    expect(Object.entries(builtInRoles).map(([name, held]) => [name, held.length])).toEqual([
      ['administrator', 15],
      ['operator', 7],
      ['viewer', 4],
      ['guest', 0],
    ]);
  });

  it('recommends bitrates by the table, in true proportion to the frame rate', () => {
    const { compute } = registry.recommendedBitrate;
    const recommend = compute as unknown as (size: string, rate: number) => number;
    expect(recommend('1920x1080', 30)).toBe(8_000_000);
    expect(recommend('1280x720', 30)).toBe(4_000_000);
    expect(recommend('3840x2160', 60)).toBe(24_000_000);
    expect(recommend('1920x1080', 15)).toBe(4_000_000);
    expect(recommend('800x600', 30)).toBe(4_000_000);
  });

  it('calls the streams unhealthy for three reasons, in words', () => {
    const healthOf = registry.streamHealth.compute as unknown as (stats: object) => {
      healthy: boolean;
      reasons: string[];
    };
    const good = { seconds: 60, frameDrops: 100, errors: 10, stalled: [] };
    expect(healthOf(good)).toEqual({ healthy: true, reasons: [] });
    const bad = healthOf({ ...good, frameDrops: 101, errors: 11, stalled: ['stream1 has stalled'] });
    expect(bad.reasons).toHaveLength(3);
  });
});
