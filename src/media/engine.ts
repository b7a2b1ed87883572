// Makes the plan so: starts what is wanted, exchanges what has changed without a gap, restarts what has failed.
// Pipelines run only while somebody takes from their channel, or where they are to be kept warm.
import { messageOf } from '../errors.js';
import type { MediaPlan, PipelinePlan } from '../pipelines/plan.js';
import type { GStreamer, MediaEvent } from './gstreamer.js';
import type { PipelineGraph, PipelineReport } from './messages.js';

/** A new pipeline that has given nothing by then will not. */
const firstFrameWithinMs = 5000;
/** Viewers that come back soon find it running. */
const lingerMs = 3000;
const firstRetryMs = 500;
const longestRetryMs = 30_000;

interface Instance {
  /** Under which its messages come. */
  readonly owner: string;
  readonly plan: PipelinePlan;
  readonly stop: () => void;
}

interface Unit {
  plan: PipelinePlan;
  running: Instance | undefined;
  /** Being made, to take the place of what runs. */
  next: Instance | undefined;
  state: PipelineReport['state'];
  since: number;
  restarts: number;
  reason: string | undefined;
  retryMs: number;
  timer: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly met: () => void;
  readonly failed: (error: Error) => void;
}

/** The plan cannot be carried out as it is. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

export class Engine {
  readonly #gst: GStreamer;
  readonly #units = new Map<string, Unit>();
  readonly #demand = new Map<string, number>();
  /** By owner: who waits for the first frame of an instance. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #log: (level: 'info' | 'warn', message: string) => void;
  #serial = 0;
  #busy: Promise<void> = Promise.resolve();

  constructor(gst: GStreamer, log: (level: 'info' | 'warn', message: string) => void) {
    this.#gst = gst;
    this.#log = log;
  }

  /** One plan after the other. Where one cannot be carried out, what ran before goes on. */
  apply(plan: MediaPlan): Promise<void> {
    const work = this.#busy.then(() => this.#apply(plan));
    this.#busy = work.catch(() => undefined);
    return work;
  }

  hear(event: MediaEvent): void {
    switch (event.event) {
      case 'demand':
        this.#demand.set(event.channel, event.consumers);
        for (const unit of this.#units.values()) if (unit.plan.channel === event.channel) this.#follow(unit);
        break;
      case 'producing':
        // Generations belong to instances in the order in which they were started, and one channel has one unit.
        for (const { plan, next, running } of this.#units.values())
          if (plan.channel === event.channel) this.#waiting.get((next ?? running)?.owner ?? '')?.met();
        break;
      case 'error':
        this.#failed(event.pipeline, `${event.element}: ${event.message}`);
        break;
      case 'ended':
        this.#failed(event.pipeline, 'the stream has ended');
        break;
      case 'warning':
        this.#log('warn', `${event.pipeline}: ${event.element}: ${event.message}`);
        break;
      default:
        break;
    }
  }

  report(): PipelineReport[] {
    return [...this.#units.values()].map(({ plan, running, state, since, restarts, reason }) => ({
      ...{ name: plan.name, state, since, restarts },
      text: launchText((running?.plan ?? plan).text, (running?.plan ?? plan).live),
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  /** Undefined while it does not run. */
  graph(name: string): PipelineGraph | undefined {
    const running = this.#units.get(name)?.running;
    const json = running === undefined ? '' : this.#gst.addon.graph(running.owner);
    return json === '' ? undefined : (JSON.parse(json) as PipelineGraph);
  }

  close(): void {
    for (const unit of this.#units.values()) {
      clearTimeout(unit.timer);
      unit.next?.stop();
      unit.running?.stop();
    }
    this.#units.clear();
  }

  async #apply(plan: MediaPlan): Promise<void> {
    for (const { text, live } of plan.pipelines) {
      const problem = this.#gst.addon.parse(launchText(text, live));
      if (problem !== undefined) throw new CannotRun(problem);
    }
    const wanted = new Map(plan.pipelines.map((pipeline) => [pipeline.name, pipeline]));
    // From the cameras on: what reads finds what it reads from.
    for (const pipeline of plan.pipelines) {
      const unit = this.#units.get(pipeline.name);
      if (unit === undefined) this.#add(pipeline);
      else await this.#change(unit, pipeline);
    }
    for (const [name, unit] of this.#units)
      if (!wanted.has(name)) {
        this.#stop(unit);
        this.#units.delete(name);
      }
    this.#gst.addon.rtspMounts(plan.mounts);
  }

  #add(plan: PipelinePlan): void {
    const unit: Unit = {
      ...{ plan, running: undefined, next: undefined, state: 'idle', since: Date.now(), restarts: 0 },
      ...{ reason: undefined, retryMs: firstRetryMs, timer: undefined },
    };
    this.#units.set(plan.name, unit);
    this.#follow(unit);
  }

  async #change(unit: Unit, plan: PipelinePlan): Promise<void> {
    const { running } = unit;
    const before = unit.plan;
    unit.plan = plan;
    if (running === undefined) {
      if (unit.state === 'failed') this.#restart(unit, 0);
      else this.#follow(unit);
      return;
    }
    if (before.text === plan.text) {
      for (const [property, value] of Object.entries(plan.live)) {
        if (before.live[property] === value) continue;
        const [element = '', name = ''] = property.split('.');
        if (!this.#gst.addon.setProperty(running.owner, element, name, value))
          throw new CannotRun(`${plan.name} has no ${property}`);
      }
      unit.running = { ...running, plan };
      return;
    }
    try {
      if (plan.exclusive) {
        running.stop();
        unit.running = undefined;
      }
      const next = this.#start(plan);
      unit.next = next;
      await this.#firstFrame(next);
      unit.next = undefined;
      unit.running = next;
      this.#set(unit, 'running');
      if (!plan.exclusive) running.stop();
    } catch (error) {
      unit.next?.stop();
      unit.next = undefined;
      unit.plan = before;
      if (plan.exclusive) this.#restart(unit, 0);
      throw new CannotRun(`${plan.name}: ${messageOf(error)}`);
    }
  }

  /** Starts and stops with what is asked for. */
  #follow(unit: Unit): void {
    const wanted = unit.plan.preload || (this.#demand.get(unit.plan.channel) ?? 0) > 0;
    if (wanted && unit.running === undefined && unit.state !== 'failed') this.#restart(unit, 0);
    else if (wanted && unit.running !== undefined) clearTimeout(unit.timer);
    else if (!wanted && unit.running !== undefined) {
      clearTimeout(unit.timer);
      unit.timer = setTimeout(() => {
        if (!unit.plan.preload && (this.#demand.get(unit.plan.channel) ?? 0) === 0) this.#stop(unit);
      }, lingerMs);
    } else if (!wanted && unit.state === 'failed') {
      clearTimeout(unit.timer);
      this.#set(unit, 'idle');
    }
  }

  #restart(unit: Unit, afterMs: number): void {
    clearTimeout(unit.timer);
    const begin = (): void => {
      if (unit.running !== undefined || this.#units.get(unit.plan.name) !== unit) return;
      this.#set(unit, 'starting');
      try {
        const instance = this.#start(unit.plan);
        unit.running = instance;
        this.#firstFrame(instance).then(
          () => {
            if (unit.running?.owner !== instance.owner) return;
            unit.retryMs = firstRetryMs;
            this.#set(unit, 'running');
          },
          (error: unknown) => {
            this.#failed(instance.owner, messageOf(error));
          },
        );
      } catch (error) {
        this.#giveUpFor(unit, messageOf(error));
      }
    };
    if (afterMs === 0) begin();
    else unit.timer = setTimeout(begin, afterMs);
  }

  #stop(unit: Unit): void {
    clearTimeout(unit.timer);
    unit.running?.stop();
    unit.running = undefined;
    this.#set(unit, 'idle');
  }

  #failed(owner: string, reason: string): void {
    const waiting = this.#waiting.get(owner);
    if (waiting !== undefined) {
      waiting.failed(new Error(reason));
      return;
    }
    for (const unit of this.#units.values()) {
      if (unit.running?.owner !== owner) continue;
      unit.running.stop();
      unit.running = undefined;
      this.#giveUpFor(unit, reason);
    }
  }

  #giveUpFor(unit: Unit, reason: string): void {
    this.#set(unit, 'failed', reason);
    unit.restarts += 1;
    this.#log('warn', `${unit.plan.name} has failed: ${reason}`);
    this.#restart(unit, unit.retryMs);
    unit.retryMs = Math.min(unit.retryMs * 2, longestRetryMs);
  }

  #set(unit: Unit, state: Unit['state'], reason?: string): void {
    unit.state = state;
    unit.since = Date.now();
    unit.reason = reason;
  }

  #start(plan: PipelinePlan): Instance {
    this.#serial += 1;
    const owner = `${plan.name}#${String(this.#serial)}`;
    const text = launchText(plan.text, plan.live).replace(/(hubsink channel=\S+)$/, `$1 owner="${owner}"`);
    const pipeline = new this.#gst.Pipeline(text);
    pipeline.play();
    return {
      owner,
      plan,
      stop: () => {
        this.#waiting.delete(owner);
        if (!this.#gst.addon.release(owner)) pipeline.stop();
      },
    };
  }

  #firstFrame({ owner }: Instance): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('no picture came in time'));
      }, firstFrameWithinMs);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(owner);
      };
      this.#waiting.set(owner, {
        met: () => {
          end();
          resolve();
        },
        failed: (error) => {
          end();
          reject(error);
        },
      });
    });
  }
}

/** The whole text, with what may change later at its present values. */
export function launchText(text: string, live: Readonly<Record<string, string>>): string {
  let whole = text;
  for (const [property, value] of Object.entries(live)) {
    const [element = '', name = ''] = property.split('.');
    whole = whole.replace(`name=${element}`, `name=${element} ${name}="${value}"`);
  }
  return whole;
}
