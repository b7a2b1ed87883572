import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import type { AnyDefinition } from '../../src/observables/define.js';
import { builtInRoles, permissions } from '../../src/observables/permissions.js';
import { groupOf, groups, registry, rules, type Key } from '../../src/observables/registry.js';
import { buildCells, type Cell } from '../../src/store/cell.js';

const definitions: readonly (readonly [string, AnyDefinition])[] = Object.entries(registry);
const cells = new Map<string, Cell>(buildCells(registry).map((cell) => [cell.key, cell]));

describe('every declaration', () => {
  it('stands under its own key, in one group', () => {
    for (const [name, { key }] of definitions) {
      expect(name).toBe(key);
      expect(groups.filter(({ keys }) => keys.includes(key as Key)).map((group) => group.name)).toEqual([
        groupOf(key as Key),
      ]);
    }
  });

  it('says in words what it is', () => {
    for (const [key, { title, description }] of definitions) {
      expect(title, key).toMatch(/^.{3,}/);
      expect(description, key).toMatch(/.{10,}[.:`]$/);
    }
  });

  it('has a default that its own schema accepts, and all defaults together break no rule', () => {
    for (const cell of cells.values()) {
      const { definition, key, check, value } = cell;
      if (definition.kind === 'setting') expect([key, [...check.Errors(value)]]).toEqual([key, []]);
    }
    for (const { on, check } of rules) {
      const values = on.map(({ key }) => cells.get(key)?.value);
      expect((check as (...all: unknown[]) => unknown)(...values)).toBeUndefined();
    }
  });

  it('shares its older name with nobody', () => {
    const names = definitions.flatMap(([, { legacy }]) =>
      legacy === undefined ? [] : [legacy.name, ...(legacy.also ?? [])],
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(Object.hasOwn(registry, name), name).toBe(false);
  });

  it('that people can write takes values of bounded size only', () => {
    for (const [key, definition] of definitions)
      if ('write' in definition && definition.write.length > 0)
        expect(unbounded(definition.schema as TSchema, key)).toEqual([]);
  });

  it('that is a view writes settings which the same people may write', () => {
    for (const [key, definition] of definitions) {
      if (definition.kind !== 'view') continue;
      for (const { key: source } of definition.from)
        expect([key, cells.get(source)?.writeMask]).toEqual([key, cells.get(key)?.writeMask]);
    }
  });
});

/** Where in a schema a value could grow without end. */
function unbounded(schema: TSchema, path: string): string[] {
  const {
    type,
    anyOf,
    items,
    properties,
    patternProperties,
    maxLength,
    maxItems,
    maxProperties,
    additionalProperties,
    enum: values,
    pattern,
  } = schema as {
    readonly type?: string;
    readonly anyOf?: readonly TSchema[];
    readonly items?: TSchema;
    readonly properties?: Readonly<Record<string, TSchema>>;
    readonly patternProperties?: Readonly<Record<string, TSchema>>;
    readonly maxLength?: number;
    readonly maxItems?: number;
    readonly maxProperties?: number;
    readonly additionalProperties?: unknown;
    readonly enum?: readonly unknown[];
    readonly pattern?: string;
  };
  // Repeats inside repeats can take exponential time.
  const backtracks = pattern !== undefined && /[+*}]\)[+*{]/.test(pattern) ? [`${path}: ${pattern}`] : [];
  if (anyOf !== undefined)
    return anyOf.flatMap((option, index) => unbounded(option, `${path}|${String(index)}`));
  if (values !== undefined || 'const' in schema) return [];
  switch (type) {
    case 'string':
      return maxLength === undefined ? [`${path}: no maxLength`] : backtracks;
    case 'array':
      return [
        ...(maxItems === undefined ? [`${path}: no maxItems`] : []),
        ...(items === undefined ? [] : unbounded(items, `${path}[]`)),
      ];
    case 'object':
      if (properties !== undefined)
        return [
          ...(additionalProperties === false ? [] : [`${path}: unknown members`]),
          ...Object.entries(properties).flatMap(([name, member]) => unbounded(member, `${path}.${name}`)),
        ];
      return [
        ...(maxProperties === undefined ? [`${path}: no maxProperties`] : []),
        ...Object.values(patternProperties ?? {}).flatMap((member) => unbounded(member, `${path}.*`)),
      ];
    default:
      return [];
  }
}

describe('the contract', () => {
  const Media = ['Media_r', 'Media_rw'];
  const Device = ['Device_r', 'Device_rw'];
  const Network = ['Network_r', 'Network_rw'];
  const Storage = ['Storage_r', 'Storage_rw'];
  const System = ['System_r', 'System_rw'];
  const User = ['User_r', 'User_rw'];
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
    ['restart', ['Reboot_rw']],
    ['systemReboot', ['Reboot_rw']],
    ['reset', ['FirmwareUpdate_rw']],
    ['takePicture', ['Media_rw']],
    ['changeTagCategory', ['Media_rw']],
  ])('%s is an action for %j', (key, write) => {
    const definition = definitions.find(([name]) => name === key)?.[1];
    expect(definition).toMatchObject({ kind: 'action', write });
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
    const good = {
      clientCount: 1,
      totalBytesStreamed: 1,
      currentBitrate: 1,
      frameDrops: 100,
      errors: 10,
      uptime: 1,
    };
    expect(healthOf(good)).toEqual({ healthy: true, reasons: [] });
    const bad = healthOf({ ...good, frameDrops: 101, errors: 11, currentBitrate: 0 });
    expect(bad.reasons).toHaveLength(3);
  });
});

it('what a reader is shown of a secret can be written back, and keeps it', () => {
  const shown: unknown = registry.webrtcIceServers.redact?.([
    { urls: ['turn:t'], username: 'u', credential: 'c' },
  ]);
  expect(Value.Check(registry.webrtcIceServers.schema, shown)).toBe(true);
  expect(JSON.stringify(shown)).not.toContain('"c"');
});
