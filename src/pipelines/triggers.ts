// What makes a camera of the machine wait for pulses from outside before it takes a picture. Linux has no number for such
// a control, so drivers bring their own and only the name tells: "Trigger Mode" (a switch, a menu or a number), "Trigger
// Source", "Trigger Activation". A camera that waits for pulses which never come shows nothing, so nothing of this is
// chosen here: a camera runs by itself unless somebody has named a control and its value.
import type { ControlWish } from './controls.js';
import type { MediaSettings, VideoDevice } from './settings.js';

type Control = VideoDevice['controls'][number];
type Alignment = MediaSettings['streamAlignment'];
type Camera = keyof NonNullable<Alignment['triggers']>;
type Wanted = NonNullable<NonNullable<Alignment['triggers']>[Camera]>;

/** One that somebody has named: as it is to be, or what is wrong with that. */
type Answer = { readonly control: Control; readonly value: number } | { readonly problem: string };

export function triggersOf(device: VideoDevice | undefined): readonly Control[] {
  return (device?.controls ?? []).filter(({ name }) => plain(name).split('_').includes('trigger'));
}

/** All triggers of the camera: first those that are as the camera is made, then the others as they are named. */
export function triggerWishes(
  camera: Camera,
  device: VideoDevice,
  alignment: Alignment,
): readonly ControlWish[] {
  const answers = Object.entries(wantedOf(camera, alignment)).map((each) => answerTo(each, device));
  const used = answers.flatMap((answer) => ('problem' in answer ? [] : [answer]));
  const idle = triggersOf(device).filter((control) => !used.some((each) => each.control === control));
  return [...idle.map((control) => ({ control, value: control.default })), ...used].map(
    ({ control: { id, name }, value }) => ({ id, name, value, setting: 'streamAlignment' }),
  );
}

/** Whether a camera has a trigger, and whether it is used. */
export function triggerInWords(
  camera: Camera,
  device: VideoDevice | undefined,
  alignment: Alignment,
): string {
  const entries = Object.entries(wantedOf(camera, alignment));
  if (entries.length === 0) {
    const names = triggersOf(device).map(({ name }) => name);
    return names.length === 0 ? 'none' : `not used: ${names.join(', ')}`;
  }
  return entries
    .map((entry) => {
      const answer = answerTo(entry, device);
      return 'problem' in answer ? answer.problem : `${answer.control.name} is ${String(entry[1])}`;
    })
    .join('; ');
}

/** By the other methods nobody asks the clock of a device, and every camera runs by its own. */
function wantedOf(camera: Camera, { enabled, method, triggers }: Alignment): Wanted {
  return enabled && method === 'hardware' ? (triggers?.[camera] ?? {}) : {};
}

function answerTo(
  [name, wanted]: readonly [string, Wanted[string]],
  device: VideoDevice | undefined,
): Answer {
  const control = triggersOf(device).find((each) => plain(each.name) === plain(name));
  if (control === undefined) return { problem: `the camera has no trigger called ${name}` };
  const value = valueOf(wanted, control);
  if (value !== undefined) return { control, value };
  const { choices, kind, minimum, maximum } = control;
  const possible =
    choices?.map((choice) => choice.name).join(', ') ??
    (kind === 'boolean' ? 'true and false' : `${String(minimum)} to ${String(maximum)}`);
  return { problem: `${control.name} cannot be ${String(wanted)}, but ${possible}` };
}

function valueOf(wanted: Wanted[string], { choices, kind, minimum, maximum }: Control): number | undefined {
  if (typeof wanted === 'boolean') return kind === 'boolean' ? Number(wanted) : undefined;
  if (typeof wanted === 'string')
    return choices?.find((choice) => plain(choice.name) === plain(wanted))?.value;
  const isPossible =
    choices === undefined
      ? wanted >= minimum && wanted <= maximum
      : choices.some((choice) => choice.value === wanted);
  return isPossible ? wanted : undefined;
}

/** As v4l2-ctl writes names, so that people may copy them from there. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
}
