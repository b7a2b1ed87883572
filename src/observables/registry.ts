// All observables and rules there are, and the groups they are shown in.
import * as actions from './actions.js';
import * as adaptive from './adaptive.js';
import * as automation from './automation.js';
import * as camera from './camera.js';
import type { AnyDefinition, Rule } from './define.js';
import * as devices from './devices.js';
import * as discovery from './discovery.js';
import * as exposure from './exposure.js';
import * as head from './head.js';
import * as image from './image.js';
import * as legacy from './legacy.js';
import * as network from './network.js';
import * as overlay from './overlay.js';
import * as photos from './photos.js';
import * as pip from './pip.js';
import * as pipCanvas from './pipCanvas.js';
import { portsDiffer } from './ports.js';
import * as recording from './recording.js';
import * as rtsp from './rtsp.js';
import * as statistics from './statistics.js';
import * as storage from './storage.js';
import * as stream from './stream.js';
import * as system from './system.js';
import * as tags from './tags.js';
import * as users from './users.js';
import * as webrtc from './webrtc.js';
import * as webhooks from './webhooks.js';
import * as webserver from './webserver.js';

const groupFiles = {
  stream: { title: 'Streams', declarations: { ...stream, ...legacy } },
  rtsp: { title: 'RTSP', declarations: rtsp },
  webrtc: { title: 'WebRTC', declarations: webrtc },
  adaptive: { title: 'Adaptive bitrate', declarations: adaptive },
  statistics: { title: 'Statistics', declarations: statistics },
  pip: { title: 'Picture-in-picture and alignment', declarations: { ...pip, ...pipCanvas } },
  overlay: { title: 'Overlays', declarations: overlay },
  camera: { title: 'Cameras', declarations: { ...camera, ...devices } },
  image: { title: 'Picture', declarations: image },
  exposure: { title: 'Exposure and white balance', declarations: exposure },
  head: { title: 'Camera head', declarations: head },
  recording: { title: 'Recording', declarations: recording },
  photos: { title: 'Photos', declarations: photos },
  tags: { title: 'Tags', declarations: tags },
  storage: { title: 'Storage', declarations: storage },
  network: { title: 'Network', declarations: network },
  discovery: { title: 'Discovery', declarations: discovery },
  webserver: { title: 'Web server', declarations: webserver },
  system: { title: 'System', declarations: system },
  webhooks: { title: 'Webhooks', declarations: webhooks },
  users: { title: 'Users', declarations: users },
  automation: { title: 'Presets, schedules and locks', declarations: automation },
  actions: { title: 'Actions', declarations: actions },
} as const;

type Files = (typeof groupFiles)[keyof typeof groupFiles]['declarations'];
type Union<T> = T extends unknown
  ? { readonly [K in keyof T as T[K] extends AnyDefinition ? K : never]: T[K] }
  : never;
type Intersect<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/** Every observable by its key. */
export type AppRegistry = Intersect<Union<Files>>;
export type Key = keyof AppRegistry;
export type Group = keyof typeof groupFiles;

function isDefinition(value: unknown): value is AnyDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && 'schema' in value;
}

function isRule(value: unknown): value is Rule {
  return typeof value === 'object' && value !== null && 'on' in value && 'check' in value;
}

// A module lists its exports in whatever order it is loaded by, so the order is given here.
const everything: readonly (readonly [Group, unknown])[] = Object.entries(groupFiles).flatMap(
  ([group, { declarations }]) =>
    Object.entries(declarations)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .flatMap(([, value]: [string, unknown]): unknown[] => (Array.isArray(value) ? value : [value]))
      .map((value: unknown) => [group as Group, value] as const),
);
const definitions = everything.filter((each): each is readonly [Group, AnyDefinition] =>
  isDefinition(each[1]),
);

// The files export their declarations under their keys (a test holds them to it), so the object has the type of all of them.
export const registry = Object.fromEntries(
  definitions.map(([, definition]) => [definition.key, definition]),
) as unknown as AppRegistry;

export const rules: readonly Rule[] = [...everything.map(([, value]) => value).filter(isRule), portsDiffer];

export const groups: readonly {
  readonly name: Group;
  readonly title: string;
  readonly keys: readonly Key[];
}[] = Object.entries(groupFiles).map(([name, { title }]) => ({
  name: name as Group,
  title,
  keys: [...new Set(definitions.filter(([group]) => group === name).map(([, { key }]) => key as Key))],
}));

const groupByKey = new Map<string, Group>(definitions.map(([group, { key }]) => [key, group]));

export function groupOf(key: Key): Group {
  const group = groupByKey.get(key);
  if (group === undefined) throw new Error(`${key} is not in the registry`);
  return group;
}
