// Shows in the store what the machine itself says: load, memory, time, space.
import type { AppStore } from '../access/accounts.js';
import {
  machineFacts,
  networkFacts,
  readCpuTimes,
  readMemory,
  readSpace,
  usageBetween,
} from '../system/readings.js';

const everyMs = 1000;
const spaceEvery = 30;

export interface ReadingsOptions {
  readonly version: string;
  readonly dataFolder: string;
}

/** Returns how to stop. */
export function publishReadings(store: AppStore, { version, dataFolder }: ReadingsOptions): () => void {
  let cpu = readCpuTimes();
  let round = 0;
  store.write({
    systemInfo: { version, ...machineFacts(), startedAt: new Date().toISOString() },
    swVersionNumber: version,
    ...networkFacts(),
  });
  const publish = (): void => {
    const now = readCpuTimes();
    store.write({
      cpuUsage: usageBetween(cpu, now),
      memoryUsage: readMemory(),
      time: new Date().toISOString(),
    });
    cpu = now;
    if (round % spaceEvery === 0)
      void readSpace(dataFolder).then((storageSpace) => {
        store.write({ storageSpace });
      });
    round += 1;
  };
  publish();
  const timer = setInterval(publish, everyMs);
  return () => {
    clearInterval(timer);
  };
}
