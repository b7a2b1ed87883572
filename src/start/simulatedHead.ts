// The moving parts of the head that the test picture pretends to have: the disc turns, its sensor follows, and light and
// disc warm the processor. What of the head is seen in the picture is in src/pipelines/simulatedHead.ts.
import {
  combineLatest,
  distinctUntilChanged,
  EMPTY,
  interval,
  map,
  type Subscription,
  switchMap,
} from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import { mainCamera } from '../pipelines/machine.js';
import { systemActor } from '../store/actor.js';

type Disc = ValueOf<AppRegistry['discRotation']>;

/** Often enough to see that it turns. */
const everyMs = 1000;
/** Degrees Celsius of the room, and what the light and the disc add at most. */
const room = 20;
const mostByLight = 5;
const mostByDisc = 30;
const fastestDisc = 10_000;
/** In each step it comes nearer by this part of the way, and by the least that is worth telling. */
const warming = 0.2;
const leastStep = 0.6;

export function simulateHead(store: AppStore): Subscription {
  const isSimulated$ = combineLatest([
    store.observe('cameraHeadSettings'),
    store.observe('activeCameraHead'),
    store.observe('pipEnabled'),
    store.observe('pipLayout'),
  ]).pipe(
    map(([heads, activeCameraHead, pipEnabled, pipLayout]) => {
      return heads[mainCamera({ activeCameraHead, pipEnabled, pipLayout })].source === 'test';
    }),
    distinctUntilChanged(),
  );
  let before = 0;
  return isSimulated$
    .pipe(
      switchMap((isSimulated) => {
        before = performance.now();
        return isSimulated ? interval(everyMs) : EMPTY;
      }),
    )
    .subscribe(() => {
      const now = performance.now();
      if (isTurning(store.get('discRotation'))) turn(store, (now - before) / 1000);
      warm(store);
      before = now;
    });
}

/** As it is when it is written: somebody may be changing the rest of it at this moment. */
function turn(store: AppStore, seconds: number): void {
  void store.update(systemActor(), (get) => {
    const disc = get('discRotation');
    const position = isTurning(disc) ? turned(disc, seconds) : disc.position;
    return { discRotation: { ...disc, position }, headSensors: { ...get('headSensors'), position } };
  });
}

function warm(store: AppStore): void {
  const now = store.get('fpgaTemperature');
  const light = store.get('lightEnabled') ? (store.get('lightIntensity') / 100) * mostByLight : 0;
  const disc = store.get('discRotation');
  const away = room + light + (isTurning(disc) ? (disc.speed / fastestDisc) * mostByDisc : 0) - now;
  if (Math.abs(away) < leastStep) return;
  const step = Math.sign(away) * Math.max(leastStep, Math.abs(away) * warming);
  store.write({ fpgaTemperature: Number((now + step).toFixed(1)) });
}

function isTurning({ enabled, direction, speed }: Disc): boolean {
  return enabled && direction !== 'stopped' && speed > 0;
}

function turned({ position, direction, speed }: Disc, seconds: number): number {
  const degrees = (speed / 60) * 360 * seconds * (direction === 'clockwise' ? 1 : -1);
  return Number(((((position + degrees) % 360) + 360) % 360).toFixed(1)) % 360;
}
