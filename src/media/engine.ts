// Makes the plan so: starts what is wanted, exchanges what has changed without a gap, restarts what has failed.
// Pipelines run only while somebody takes from their channel, or where they are to be kept warm.
import { messageOf } from '../errors.js';
import { liveEncoderProperties } from '../pipelines/encoders.js';
import type { Machine } from '../pipelines/machine.js';
import type { MediaPlan, PipelinePlan } from '../pipelines/plan.js';
import type { Problem } from '../pipelines/settings.js';
import { launchText } from '../pipelines/launchText.js';
import { ControlSetter } from './deviceControls.js';
import type { GStreamer, MediaEvent } from './gstreamer.js';
import { withoutAccount, withoutSecrets } from './redact.js';
import type {
  AlignmentReport,
  ChannelFigures,
  PipelineGraph,
  PipelineReport,
  Rebuild,
  Steering,
} from './messages.js';

/** A new pipeline that has given nothing by then will not. */
const firstFrameWithinMs = 5000;
/** Cameras on the network may take their time, and somebody else shows a card until then. */
const firstFrameOfSourceWithinMs = 15_000;
/** Some cameras send a keyframe every ten seconds only. */
const joinWithinMs = 30_000;
/** For so long a change of source waits to say whether there is a picture. */
const changeOfSourceWithinMs = 2000;
/** A device that takes longer to set its controls does so while everything else goes on. */
const controlsWithinMs = 1000;
const cardAfterMs = 500;
const watchEveryMs = 200;
/** A source that gives nothing for so long has gone, even where it does not say so; a slow one is given more time. */
const silentAfterMs = 700;
const silentAfterFrames = 3;
/** Before it is known how slow it is. */
const silentAtFirstMs = 3500;
/** Viewers that come back soon find it running. */
const lingerMs = 3000;
const firstRetryMs = 500;
const longestRetryMs = 30_000;
const longestRetryOfSourceMs = 10_000;
/** Cameras lock out who tries a wrong password too often. */
const retryUnauthorizedMs = 120_000;
/** Encoders take less for no limit at all, or refuse it. */
const leastBitrate = 50_000;

interface Instance {
  /** Under which its messages come. */
  readonly owner: string;
  readonly plan: PipelinePlan;
  /** Properties that may change while it runs, as they are now. */
  live: Readonly<Record<string, string>>;
  readonly startedAt: number;
  readonly stop: () => void;
}

interface Unit {
  plan: PipelinePlan;
  running: Instance | undefined;
  /** Being made, to take the place of what runs. */
  next: Instance | undefined;
  /** Shown while nothing comes. */
  card: Instance | undefined;
  cardTimer: NodeJS.Timeout | undefined;
  /** What the channel had when the first picture came. */
  framesBefore: number;
  state: PipelineReport['state'];
  since: number;
  restarts: number;
  reason: string | undefined;
  problem: Problem | undefined;
  readonly controls: ControlSetter;
  retryMs: number;
  timer: NodeJS.Timeout | undefined;
  /** From outside. */
  sender: string | undefined;
  /** Who waits for it to run. */
  onRunning: (() => void) | undefined;
}

interface Waiting {
  readonly met: () => void;
  readonly failed: (error: Error) => void;
}

class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly problem: Problem;
  constructor(problem: Problem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** The plan cannot be carried out as it is. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

export class Engine {
  readonly #gst: GStreamer;
  readonly #machine: Machine;
  readonly #units = new Map<string, Unit>();
  /** No longer in the plan, but somebody who is about to go still reads from them. */
  readonly #retiring = new Set<Unit>();
  readonly #demand = new Map<string, number>();
  /** By channel, in bit/s: what its encoder may give, where that is less than the plan has it. */
  readonly #steered = new Map<string, number>();
  /** By owner: who waits for the first frame of an instance. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #log: (level: 'info' | 'warn', message: string) => void;
  readonly #onRebuilt: (rebuild: Rebuild) => void;
  #serial = 0;
  #busy: Promise<void> = Promise.resolve();

  constructor(
    gst: GStreamer,
    machine: Machine,
    log: (level: 'info' | 'warn', message: string) => void,
    onRebuilt: (rebuild: Rebuild) => void,
  ) {
    this.#gst = gst;
    this.#machine = machine;
    this.#log = log;
    this.#onRebuilt = onRebuilt;
    setInterval(() => {
      this.#watch();
    }, watchEveryMs);
  }

  /** One plan after the other. Where one cannot be carried out, what ran before goes on. */
  apply(plan: MediaPlan): Promise<void> {
    const work = this.#busy.then(() => this.#apply(plan));
    this.#busy = work.catch(() => undefined);
    return work;
  }

  /** Holds encoders below what the plan asks for, or no more. Streams that are passed on as they come stay as they are. */
  steer(steering: Steering): void {
    for (const [channel, bitrate] of Object.entries(steering)) {
      if (bitrate === null) this.#steered.delete(channel);
      else if (Number.isFinite(bitrate))
        this.#steered.set(channel, Math.max(leastBitrate, Math.round(bitrate)));
      for (const unit of this.#units.values()) if (unit.plan.channel === channel) this.#tune(unit);
    }
  }

  /** Whether the plan has this channel filled with H.264. */
  givesH264(channel: string): boolean {
    return [...this.#units.values()].some(({ plan }) => plan.channel === channel && plan.codec === 'h264');
  }

  hear(event: MediaEvent): void {
    switch (event.event) {
      case 'demand':
        this.#demand.set(event.channel, event.consumers);
        for (const unit of this.#units.values()) if (unit.plan.channel === event.channel) this.#follow(unit);
        for (const unit of this.#retiring) if (!this.#isWanted(unit)) this.#dismiss(unit);
        break;
      case 'producing':
        this.#waiting.get(event.pipeline)?.met();
        this.#hearSender(event.channel, event.pipeline);
        break;
      case 'idle':
        this.#hearSender(event.channel, undefined);
        break;
      case 'error':
        this.#failed(
          event.pipeline,
          new PipelineError(event.problem, withoutAccount(`${event.element}: ${event.message}`)),
        );
        break;
      case 'ended':
        if (!this.#repeat(event.pipeline))
          this.#failed(event.pipeline, new PipelineError('failed', 'the stream has ended'));
        break;
      case 'warning':
        this.#log('warn', withoutAccount(`${event.pipeline}: ${event.element}: ${event.message}`));
        break;
      default:
        break;
    }
  }

  report(): PipelineReport[] {
    return [...this.#units.values()].map(
      ({ plan, running, state, since, restarts, reason, problem, controls }) => {
        const shown = running?.plan ?? plan;
        const { name, text, from } = shown;
        const encoderBitrate = this.#bitrateOf(shown);
        return {
          ...{ name, state, since, restarts },
          text: launchText(text, running?.live ?? this.#liveOf(shown)),
          ...(from === undefined ? {} : { from }),
          ...(encoderBitrate === undefined ? {} : { encoderBitrate }),
          ...(reason === undefined ? {} : { reason }),
          ...(problem === undefined ? {} : { problem }),
          ...(controls.refusals.length === 0 ? {} : { refusals: controls.refusals }),
        };
      },
    );
  }

  /** Undefined while there is nothing to align. */
  alignment(): AlignmentReport | undefined {
    const scene = this.#units.get('scene')?.running;
    const json = scene === undefined ? '' : this.#gst.addon.alignment(scene.owner);
    return json === '' ? undefined : (JSON.parse(json) as AlignmentReport);
  }

  /** Undefined while it does not run. */
  graph(name: string): PipelineGraph | undefined {
    const running = this.#units.get(name)?.running;
    const json = running === undefined ? '' : this.#gst.addon.graph(running.owner);
    return json === '' ? undefined : withoutSecrets(JSON.parse(json) as PipelineGraph);
  }

  async #apply(plan: MediaPlan): Promise<void> {
    for (const { text, live, secrets, card } of plan.pipelines)
      for (const whole of [
        launchText(text, { ...live, ...secrets }),
        ...(card === undefined ? [] : [card]),
      ]) {
        const problem = this.#gst.addon.parse(whole);
        if (problem !== undefined) throw new CannotRun(problem);
      }
    const wanted = new Set(plan.pipelines.map(({ name }) => name));
    const leaving: Unit[] = [];
    const leave = (unit: Unit): void => {
      this.#units.delete(unit.plan.name);
      leaving.push(unit);
    };
    // From the cameras on: what reads finds what it reads from.
    for (const pipeline of plan.pipelines) {
      const unit = this.#units.get(pipeline.name);
      if (unit?.plan.channel === pipeline.channel) {
        await this.#change(unit, pipeline);
        continue;
      }
      if (unit !== undefined) {
        if (unit.plan.exclusive) this.#stop(unit);
        leave(unit);
      }
      this.#add(pipeline);
    }
    for (const [name, unit] of this.#units) if (!wanted.has(name)) leave(unit);
    const filled = new Set(plan.pipelines.map(({ channel }) => channel));
    for (const unit of this.#retiring)
      if (filled.has(unit.plan.channel)) {
        this.#retiring.delete(unit);
        leaving.push(unit);
      }
    for (const unit of leaving) {
      await this.#handOver(unit);
      const isNeeded = !filled.has(unit.plan.channel) && this.#isWanted(unit);
      if (isNeeded && !unit.plan.exclusive) this.#retiring.add(unit);
      else this.#dismiss(unit);
    }
    this.#gst.addon.rtspMounts(plan.mounts);
  }

  /** Where another fills the same channel from now on, whoever looks is not to see the change. */
  async #handOver({ plan: { channel }, running }: Unit): Promise<void> {
    const heir = [...this.#units.values()].find(({ plan }) => plan.channel === channel);
    if (running === undefined || heir === undefined || heir.state === 'running') return;
    if (!this.#isWanted(heir)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, changeOfSourceWithinMs);
      heir.onRunning = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    heir.onRunning = undefined;
  }

  #isWanted({ plan }: Unit): boolean {
    return (this.#demand.get(plan.channel) ?? 0) > 0;
  }

  #dismiss(unit: Unit): void {
    this.#retiring.delete(unit);
    this.#stop(unit);
    this.#gst.addon.forgetChannel(unit.plan.channel);
  }

  #add(plan: PipelinePlan): void {
    const unit: Unit = {
      ...{ plan, running: undefined, next: undefined, state: 'idle', since: Date.now(), restarts: 0 },
      ...{ reason: undefined, problem: undefined, retryMs: firstRetryMs, timer: undefined },
      ...{ card: undefined, cardTimer: undefined, framesBefore: 0, onRunning: undefined },
      ...{ sender: undefined, controls: new ControlSetter(this.#gst.addon) },
    };
    this.#units.set(plan.name, unit);
    this.#follow(unit);
  }

  async #change(unit: Unit, plan: PipelinePlan): Promise<void> {
    const { running } = unit;
    const before = unit.plan;
    unit.plan = plan;
    if (plan.external !== true) unit.sender = undefined;
    if (unit.card !== undefined && before.card !== plan.card) {
      this.#hideCard(unit);
      this.#showCard(unit);
    }
    if (running === undefined) {
      unit.retryMs = firstRetryMs;
      if (unit.state === 'failed' && plan.external !== true) this.#restart(unit, 0);
      else this.#follow(unit);
      return;
    }
    if (plan.external === true) {
      this.#stop(unit);
      this.#follow(unit);
      return;
    }
    // One that takes its time to take over is not waited for any more.
    unit.next?.stop();
    unit.next = undefined;
    if (isSamePipeline(running.plan, plan)) {
      const live = this.#liveOf(plan);
      const missing = this.#setLive(running, live);
      if (missing !== undefined) throw new CannotRun(`${plan.name} has no ${missing}`);
      unit.running = { ...running, plan, live };
      if (plan.controls !== undefined)
        await within(controlsWithinMs, unit.controls.set(plan.controls, unit.state === 'running'));
      return;
    }
    if (plan.card !== undefined) {
      await this.#changeSource(unit, running);
      return;
    }
    if (plan.joining !== undefined) {
      this.#join(unit, running, plan.joining);
      return;
    }
    try {
      const next = this.#start(plan);
      unit.next = next;
      await this.#firstFrame(next, firstFrameWithinMs);
      unit.next = undefined;
      unit.running = next;
      this.#set(unit, 'running');
      this.#tellRebuilt(next, 'settings');
      running.stop();
    } catch (error) {
      unit.next?.stop();
      unit.next = undefined;
      unit.plan = before;
      throw new CannotRun(`${plan.name}: ${messageOf(error)}`);
    }
  }

  /** In bit/s; undefined where nothing is encoded. */
  #bitrateOf({ channel, encoding }: PipelinePlan): number | undefined {
    return encoding === undefined
      ? undefined
      : Math.min(encoding.bitrate, this.#steered.get(channel) ?? Infinity);
  }

  /** What may change while it runs, as it is to be. */
  #liveOf(plan: PipelinePlan): Readonly<Record<string, string>> {
    const { encoding, live } = plan;
    const bitrate = this.#bitrateOf(plan);
    if (encoding === undefined || bitrate === undefined || bitrate === encoding.bitrate) return live;
    return { ...live, ...liveEncoderProperties({ ...encoding, bitrate }, this.#machine) };
  }

  /** The first property that there is not, if any. */
  #setLive({ owner, live: before }: Instance, live: Readonly<Record<string, string>>): string | undefined {
    return Object.entries(live).find(([property, value]) => {
      const [element = '', name = ''] = property.split('.');
      return before[property] !== value && !this.#gst.addon.setProperty(owner, element, name, value);
    })?.[0];
  }

  /** What runs, and what is about to, is as it is to be. */
  #tune(unit: Unit): void {
    for (const instance of [unit.running, unit.next]) {
      if (instance === undefined) continue;
      const live = this.#liveOf(instance.plan);
      // One that has hardly begun is tuned when it runs.
      if (this.#setLive(instance, live) === undefined) instance.live = live;
    }
  }

  /** What runs goes on until the next picture that the new one can begin with, however long that takes. */
  #join(unit: Unit, before: Instance, joining: Readonly<Record<string, string>>): void {
    const next = this.#start(unit.plan, joining);
    unit.next = next;
    this.#firstFrame(next, joinWithinMs).then(
      () => {
        if (unit.next !== next) return;
        unit.next = undefined;
        if (unit.running?.owner !== before.owner) {
          // It failed in the meantime, and was begun anew.
          next.stop();
          return;
        }
        unit.running = next;
        this.#set(unit, 'running');
        this.#tellRebuilt(next, 'settings');
        before.stop();
      },
      (error: unknown) => {
        if (unit.next !== next) return;
        unit.next = undefined;
        next.stop();
        this.#log('warn', `${unit.plan.name} stays as it was: ${messageOf(error)}`);
      },
    );
  }

  /** The new source takes over when it has a picture. One that has none is tried again and again, behind the card. */
  async #changeSource(unit: Unit, before: Instance): Promise<void> {
    if (unit.plan.exclusive) before.stop();
    const next = this.#open(unit);
    unit.next = next;
    const first = this.#firstFrame(next, firstFrameOfSourceWithinMs).then(() => {
      this.#tellRebuilt(next, 'source');
    });
    await within(
      changeOfSourceWithinMs,
      first.catch(() => undefined),
    );
    before.stop();
    unit.next = undefined;
    unit.running = next;
    unit.retryMs = firstRetryMs;
    this.#set(unit, 'starting');
    this.#settle(unit, next, first);
  }

  /** Somebody from outside fills a channel, or does no more. */
  #hearSender(channel: string, sender: string | undefined): void {
    for (const unit of this.#units.values()) {
      if (unit.plan.external !== true || unit.plan.channel !== channel) continue;
      if (sender !== undefined && sender === unit.card?.owner) continue;
      unit.sender = sender;
      this.#follow(unit);
    }
  }

  /** What is sent from outside is there, or the card is, as long as somebody looks. */
  #followSender(unit: Unit): void {
    if (!this.#isWanted(unit)) {
      this.#stop(unit);
    } else if (unit.sender !== undefined) {
      this.#hideCard(unit);
      if (unit.state !== 'running') {
        unit.framesBefore = this.#channels()[unit.plan.channel]?.frames ?? 0;
        this.#set(unit, 'running');
      }
    } else {
      this.#missSender(unit, new PipelineError('silent', 'nobody sends'));
    }
  }

  /** Whoever sent may come back, or end their session; the hub tells. */
  #missSender(unit: Unit, error: PipelineError): void {
    unit.sender = undefined;
    this.#showFailure(unit, error);
  }

  #showFailure(unit: Unit, { problem, message }: PipelineError): void {
    this.#set(unit, 'failed');
    unit.reason = message;
    unit.problem = problem;
    this.#showCard(unit);
  }

  /** Starts and stops with what is asked for. */
  #follow(unit: Unit): void {
    if (unit.plan.external === true) {
      this.#followSender(unit);
      return;
    }
    const wanted = unit.plan.preload || this.#isWanted(unit);
    if (wanted && unit.running === undefined && unit.state !== 'failed') this.#restart(unit, 0);
    else if (wanted && unit.running !== undefined) clearTimeout(unit.timer);
    else if (!wanted && unit.running !== undefined) {
      clearTimeout(unit.timer);
      unit.timer = setTimeout(() => {
        if (!unit.plan.preload && !this.#isWanted(unit)) this.#stop(unit);
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
        const instance = this.#open(unit);
        unit.running = instance;
        const patience = unit.plan.card === undefined ? firstFrameWithinMs : firstFrameOfSourceWithinMs;
        this.#settle(unit, instance, this.#firstFrame(instance, patience));
      } catch (error) {
        this.#giveUpFor(unit, new PipelineError('failed', messageOf(error)));
      }
    };
    if (afterMs === 0) begin();
    else unit.timer = setTimeout(begin, afterMs);
  }

  /** What becomes of an instance by its first frame, or by its lack of one. */
  #settle(unit: Unit, instance: Instance, first: Promise<void>): void {
    unit.cardTimer ??= setTimeout(() => {
      this.#showCard(unit);
    }, cardAfterMs);
    first.then(
      () => {
        if (unit.running?.owner !== instance.owner) return;
        unit.retryMs = firstRetryMs;
        this.#hideCard(unit);
        unit.framesBefore = this.#channels()[unit.plan.channel]?.frames ?? 0;
        this.#set(unit, 'running');
        if (unit.plan.controls !== undefined) void unit.controls.set(unit.plan.controls, true);
      },
      (error: unknown) => {
        this.#failed(
          instance.owner,
          error instanceof PipelineError ? error : new PipelineError('failed', messageOf(error)),
        );
      },
    );
  }

  #showCard(unit: Unit): void {
    const { card } = unit.plan;
    if (card === undefined || unit.card !== undefined) return;
    unit.card = this.#play(unit.plan, card);
  }

  #hideCard(unit: Unit): void {
    clearTimeout(unit.cardTimer);
    unit.cardTimer = undefined;
    unit.card?.stop();
    unit.card = undefined;
  }

  /** Sources that stop without a word. */
  #watch(): void {
    const sources = [...this.#units.values()].filter(
      ({ plan, state, running, next, sender }) =>
        plan.card !== undefined &&
        state === 'running' &&
        (running ?? sender) !== undefined &&
        next === undefined,
    );
    if (sources.length === 0) return;
    const channels = this.#channels();
    for (const unit of sources) {
      const { plan, running, since, framesBefore } = unit;
      const { ageMs, frames } = channels[plan.channel] ?? { ageMs: 0, frames: 0 };
      const seen = frames - framesBefore;
      const perFrameMs = (Date.now() - ageMs - since) / seen;
      const patienceMs =
        seen < silentAfterFrames ? silentAtFirstMs : Math.max(silentAfterMs, silentAfterFrames * perFrameMs);
      if (ageMs <= patienceMs) continue;
      const silence = new PipelineError('silent', 'no pictures come any more');
      if (running !== undefined) this.#failed(running.owner, silence);
      else this.#missSender(unit, silence);
    }
  }

  #channels(): Readonly<Record<string, ChannelFigures>> {
    return JSON.parse(this.#gst.addon.channels()) as Readonly<Record<string, ChannelFigures>>;
  }

  /** Whether it was one that begins again at its end. */
  #repeat(owner: string): boolean {
    for (const unit of this.#units.values())
      if (unit.running?.owner === owner && unit.plan.repeats && unit.state === 'running') {
        unit.running.stop();
        unit.running = undefined;
        this.#restart(unit, 0);
        return true;
      }
    return false;
  }

  #stop(unit: Unit): void {
    clearTimeout(unit.timer);
    this.#hideCard(unit);
    unit.next?.stop();
    unit.next = undefined;
    unit.running?.stop();
    unit.running = undefined;
    this.#set(unit, 'idle');
  }

  #failed(owner: string, error: PipelineError): void {
    const waiting = this.#waiting.get(owner);
    if (waiting !== undefined) {
      waiting.failed(error);
      return;
    }
    for (const unit of this.#units.values()) {
      if (unit.running?.owner !== owner) continue;
      unit.running.stop();
      unit.running = undefined;
      this.#giveUpFor(unit, error);
    }
  }

  #giveUpFor(unit: Unit, error: PipelineError): void {
    // Whoever tries again and again says so once.
    if (unit.reason !== error.message) this.#log('warn', `${unit.plan.name} has failed: ${error.message}`);
    this.#showFailure(unit, error);
    unit.restarts += 1;
    this.#onRebuilt({ pipeline: unit.plan.name, reason: 'failure' });
    this.#restart(unit, error.problem === 'unauthorized' ? retryUnauthorizedMs : unit.retryMs);
    const longest = unit.plan.card === undefined ? longestRetryMs : longestRetryOfSourceMs;
    unit.retryMs = Math.min(unit.retryMs * 2, longest);
  }

  #tellRebuilt({ plan, startedAt }: Instance, reason: Rebuild['reason']): void {
    this.#onRebuilt({ pipeline: plan.name, reason, ms: Date.now() - startedAt });
  }

  /** What was the matter is told until there is a picture again, or nobody asks any more. */
  #set(unit: Unit, state: Unit['state']): void {
    unit.state = state;
    unit.since = Date.now();
    if (state === 'running') {
      this.#tune(unit);
      unit.onRunning?.();
    }
    if (state === 'starting') return;
    unit.reason = undefined;
    unit.problem = undefined;
  }

  #open(unit: Unit): Instance {
    unit.controls.opened();
    if (unit.plan.controls !== undefined) void unit.controls.set(unit.plan.controls, false);
    return this.#start(unit.plan);
  }

  #start(plan: PipelinePlan, joining: Readonly<Record<string, string>> = {}): Instance {
    return this.#play(plan, launchText(plan.text, { ...this.#liveOf(plan), ...plan.secrets, ...joining }));
  }

  #play(plan: PipelinePlan, text: string): Instance {
    this.#serial += 1;
    const owner = `${plan.name}#${String(this.#serial)}`;
    const pipeline = new this.#gst.Pipeline(
      text.replace(/(hubsink [^!]*channel=\S+)$/, `$1 owner="${owner}"`),
    );
    pipeline.play();
    return {
      ...{ owner, plan, live: this.#liveOf(plan), startedAt: Date.now() },
      stop: () => {
        this.#waiting.delete(owner);
        if (!this.#gst.addon.release(owner)) pipeline.stop();
      },
    };
  }

  #firstFrame({ owner }: Instance, withinMs: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        end();
        reject(new PipelineError('silent', 'no picture came in time'));
      }, withinMs);
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

/** Waits for it, but no longer than this. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function isSamePipeline(before: PipelinePlan, after: PipelinePlan): boolean {
  return before.text === after.text && JSON.stringify(before.secrets) === JSON.stringify(after.secrets);
}
