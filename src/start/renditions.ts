// Keeps the list of renditions that players have asked for: one is there as long as somebody plays it, and a little longer.
import type { Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { Supervisor } from '../media/supervisor.js';

/** Players that come back soon find it running. */
const lingerMs = 5000;

export function followRenditions(store: AppStore, supervisor: Supervisor): Subscription {
  const leaving = new Map<string, NodeJS.Timeout>();
  const write = (streamRenditions: readonly string[]): void => {
    store.write({ streamRenditions: [...streamRenditions] });
  };
  const forget = (channel: string): void => {
    clearTimeout(leaving.get(channel));
    leaving.delete(channel);
  };
  const subscription = supervisor.renditions$.subscribe(({ channel, wanted }) => {
    forget(channel);
    const known = store.get('streamRenditions');
    if (wanted && !known.includes(channel)) write([...known, channel]);
    if (!wanted && known.includes(channel))
      leaving.set(
        channel,
        setTimeout(() => {
          leaving.delete(channel);
          write(store.get('streamRenditions').filter((each) => each !== channel));
        }, lingerMs),
      );
  });
  subscription.add(
    supervisor.state$.subscribe(({ phase }) => {
      if (phase !== 'down') return;
      // Whoever played is gone with the process.
      for (const channel of [...leaving.keys()]) forget(channel);
      if (store.get('streamRenditions').length > 0) write([]);
    }),
  );
  subscription.add(() => {
    for (const channel of [...leaving.keys()]) forget(channel);
  });
  return subscription;
}
