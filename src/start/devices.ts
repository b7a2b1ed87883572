// Publishes which cameras are plugged in, which of the camera heads are therefore there, and what they can do; and says of
// settings that a camera does not carry out that it does not.
import { isDeepStrictEqual } from 'node:util';
import { combineLatest, Subscription, type Observable } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { PipelineReport } from '../media/messages.js';
import { headCapabilities } from '../pipelines/capabilities.js';
import { deviceOf } from '../pipelines/controls.js';
import { whatIsMissing } from '../pipelines/formats.js';
import { mediaKeys, type Head, type VideoDevice } from '../pipelines/settings.js';

interface DeviceSource {
  readonly devices$: Observable<readonly VideoDevice[]>;
  readonly beats$: Observable<{ readonly pipelines: readonly PipelineReport[] }>;
}

/** Linux's driver of USB cameras. */
const usbDriver = 'uvcvideo';

export function followDevices(store: AppStore, { devices$, beats$ }: DeviceSource): Subscription {
  const subscriptions = new Subscription();
  let found: readonly VideoDevice[] = [];
  const publish = (): void => {
    if (!isDeepStrictEqual(found, store.get('videoDevices'))) store.write({ videoDevices: [...found] });
  };
  subscriptions.add(
    devices$.subscribe((devices) => {
      found = devices;
      publish();
    }),
  );
  // Settings that cannot be go back together with what was plugged in then.
  subscriptions.add(store.observe('videoDevices').subscribe(publish));
  subscriptions.add(
    combineLatest([store.observe('videoDevices'), store.observe('cameraHeadSettings')]).subscribe(
      ([devices, heads]) => {
        store.write({
          uvcDevices: devices
            .filter(({ driver }) => driver === usbDriver)
            .map(({ path, name }) => ({ path, name })),
          cam0Exists: exists(heads.primary, devices),
          cam1Exists: exists(heads.secondary, devices),
          capabilities: {
            primary: headCapabilities('primary', heads.primary, devices),
            secondary: headCapabilities('secondary', heads.secondary, devices),
          },
        });
        const lacking = (['primary', 'secondary'] as const).flatMap((camera) => {
          const reason = whatIsMissing(heads[camera], deviceOf(heads[camera], devices));
          return reason === undefined ? [] : [`The ${camera} camera ${reason}`];
        });
        store.statuses.remark('cameraHeadSettings', lacking.length === 0 ? undefined : lacking.join('. '));
      },
    ),
  );
  let remarked = new Map<string, string>();
  subscriptions.add(
    beats$.subscribe(({ pipelines }) => {
      const refused = new Map<string, string>();
      for (const { name, refusals = [] } of pipelines)
        for (const { setting, reason } of refusals)
          refused.set(setting, `The ${name.replace('capture/', '')} camera refuses it: ${reason}`);
      for (const key of mediaKeys)
        if (refused.get(key) !== remarked.get(key)) store.statuses.remark(key, refused.get(key));
      remarked = refused;
    }),
  );
  return subscriptions;
}

/** Of a camera on the network nobody knows before it is asked. */
function exists(head: Head, devices: readonly VideoDevice[]): boolean {
  if (head.source === 'none') return false;
  return head.source !== 'v4l2' || deviceOf(head, devices) !== undefined;
}
