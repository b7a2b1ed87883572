// Runs the schedules: each is a change at certain times, in the server's time zone.
import { Cron } from 'croner';
import { combineLatest } from 'rxjs';
import type { Logger } from 'pino';
import type { AppStore } from '../access/accounts.js';
import { messageOf } from '../errors.js';
import { maskOf } from '../observables/permissions.js';
import type { Actor } from '../store/actor.js';

/** Whoever may edit schedules must not gain other people's permissions by them, so this is all that they can do. */
const scheduleMask = maskOf(['Device_r', 'Device_rw', 'Media_r', 'Media_rw']);

/** Returns how to stop. */
export function runSchedules(store: AppStore, log: Logger): () => void {
  let jobs: Cron[] = [];
  const stopAll = (): void => {
    for (const job of jobs) job.stop();
    jobs = [];
  };
  const subscription = combineLatest([store.observe('schedules'), store.observe('timezone')]).subscribe(
    ([schedules, timezone]) => {
      stopAll();
      for (const [name, schedule] of Object.entries(schedules)) {
        if (!schedule.enabled) continue;
        try {
          jobs.push(
            new Cron(schedule.cron, { timezone, unref: true }, () => {
              void run(name);
            }),
          );
        } catch (error) {
          log.warn(`The schedule ${name} cannot run: ${messageOf(error)}`);
        }
      }
    },
  );

  async function run(name: string): Promise<void> {
    const schedule = store.get('schedules')[name];
    if (schedule === undefined) return;
    const actor: Actor = { name: `schedule ${name}`, mask: scheduleMask, via: 'schedule' };
    const preset = schedule.preset === undefined ? undefined : store.get('presets')[schedule.preset];
    if (schedule.preset !== undefined && preset === undefined)
      log.warn(`The schedule ${name} names the preset ${schedule.preset}, which is not there`);
    const outcome = await store.submit(
      actor,
      { ...preset?.values, ...schedule.set },
      { note: `schedule ${name}` },
    );
    if (!outcome.ok) log.warn(`The schedule ${name} was refused: ${outcome.error.message}`);
  }

  return () => {
    subscription.unsubscribe();
    stopAll();
  };
}
