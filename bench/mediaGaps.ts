// What each kind of change costs somebody who watches, in pictures, read from the time block.
import { systemActor } from '../src/store/actor.js';
import type { AppStore } from '../src/access/accounts.js';
import { TimeViewer } from '../test/support/TimeViewer.js';
import { tell } from './lab.js';

const rounds = 10;
const looked = 20;
const framerate = 30;

export async function tellGaps(store: AppStore, url: string): Promise<void> {
  const heads = store.get('cameraHeadSettings');
  const changes = [
    ['streamBitrate', { streamBitrate: 2_000_000 }, { streamBitrate: 4_000_000 }],
    ['streamResolution', { streamResolution: '640x360' }, { streamResolution: '1280x720' }],
    ['encoderPreset', { encoderPreset: 'ultrafast' }, { encoderPreset: 'fast' }],
    ['encoderProfile', { encoderProfile: 'main' }, { encoderProfile: 'baseline' }],
    ['streamLatencyMode', { streamLatencyMode: 'normal' }, { streamLatencyMode: 'low' }],
    [
      'the size of the camera',
      { cameraHeadSettings: { ...heads, primary: { ...heads.primary, resolution: '640x360' } } },
      { cameraHeadSettings: heads },
    ],
  ] as const;
  const viewer = new TimeViewer(url, 'tcp');
  await viewer.more(30);
  for (const [name, there, back] of changes) {
    let most = 0;
    for (let round = 0; round < rounds; round += 1) {
      const from = viewer.frames.length - 1;
      const outcome = await store.transact(systemActor(), round % 2 === 0 ? there : back, {
        wait: 'applied',
      });
      if (!outcome.ok) throw new Error(outcome.error.message);
      await viewer.more(looked);
      const times = viewer.frames.slice(from).map(({ captured }) => captured ?? Number.NaN);
      for (const [index, time] of times.slice(1).entries())
        most = Math.max(most, ((time - (times[index] ?? Number.NaN)) * framerate) / 1e6 - 1);
    }
    tell(
      `obscura, pictures missed when ${name} changes, most of ${String(rounds)}: ${Math.round(most).toString()}`,
    );
  }
  await viewer.close();
}
