// Runs a scenario: the encoders fill the links, what the viewers report goes to the controller every 100 ms, and what that
// says goes to the encoders. No clock and no network, so that minutes pass in a moment and always in the same way.
import { Subject } from 'rxjs';
import type { LoopInput, LoopOutput, StreamId, Viewer } from '../decisions.js';
import { adaptiveLoop } from '../loop.js';
import type { PathSample } from '../samples.js';
import { Agenda } from './agenda.js';
import { Column } from './columns.js';
import { Encoder, type Picture } from './encoder.js';
import { ReportFeedback, TransportFeedback } from './feedback.js';
import { Link } from './link.js';
import { MediaFlow, type ShownPicture } from './mediaFlow.js';
import { chance } from './random.js';
import { renoFlow, type TcpFlow } from './reno.js';
import type { Controller, Scenario, StreamSpec, ViewerSpec } from './scenario.js';
import { SocketFlow } from './socketFlow.js';

export const stepMs = 100;
const lookMs = 20;
const rateMs = 1000;

export interface StreamTrace {
  readonly at: Column;
  readonly target: Column;
  readonly reasons: string[];
}

export interface ViewerTrace {
  readonly spec: ViewerSpec;
  readonly pictures: readonly ShownPicture[];
  /** Of each packet; a viewer over TCP has none. */
  readonly flow: MediaFlow | undefined;
  /** When how many bytes arrived; NaN for those that did not. */
  readonly arrivals: { readonly at: Column; readonly bytes: Column };
  readonly target: Column;
  readonly moves: { readonly at: number; readonly to: StreamId; readonly reason: string }[];
}

export interface Run {
  readonly scenario: Scenario;
  readonly streams: Readonly<Record<StreamId, StreamTrace>>;
  readonly viewers: readonly ViewerTrace[];
  readonly competitors: readonly TcpFlow[];
  readonly last: LoopOutput | undefined;
}

/** The loop as it is used, called step by step. */
export const theLoop = (): ((input: LoopInput) => LoopOutput) => {
  const inputs = new Subject<LoopInput>();
  let output: LoopOutput | undefined;
  inputs.pipe(adaptiveLoop()).subscribe((next) => (output = next));
  return (input) => {
    inputs.next(input);
    if (output === undefined) throw new Error('The loop says nothing');
    return output;
  };
};

export function simulate(scenario: Scenario, controller: Controller): Run {
  return new Simulation(scenario, controller).run();
}

interface Watching {
  readonly spec: ViewerSpec;
  readonly trace: ViewerTrace;
  readonly send: (at: number, picture: Picture) => void;
  readonly poll?: (at: number) => PathSample;
  stream: StreamId;
  goesTo: StreamId;
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #agenda = new Agenda();
  readonly #decide: (input: LoopInput) => LoopOutput;
  readonly #settings: LoopInput['settings'];
  readonly #links: readonly Link[];
  readonly #watching: readonly Watching[];
  readonly #encoders = new Map<StreamId, Encoder>();
  readonly #targets = new Map<StreamId, number>();
  readonly #encoded = new Map<StreamId, { readonly at: number; readonly bytes: number }[]>();
  readonly #streams: Record<StreamId, StreamTrace> = { stream1: emptyTrace(), stream2: emptyTrace() };
  #samples: PathSample[] = [];
  #last: LoopOutput | undefined;

  constructor(scenario: Scenario, controller: Controller) {
    this.#scenario = scenario;
    this.#decide = controller.start();
    const most = scenario.streams.stream1?.wish.bitrate ?? Infinity;
    this.#settings = {
      ...scenario.settings,
      max: Math.min(most, scenario.settings.max),
      ...controller.settings,
    };
    this.#links = scenario.links.map((spec, index) => new Link(spec, scenario.seed * 1000 + index));
    this.#watching = scenario.viewers.map((spec, index) => this.#watch(spec, index));
  }

  run(): Run {
    const { seconds, competitors = [] } = this.#scenario;
    const flows = competitors.map(({ link, from, until, bytes }) =>
      renoFlow(this.#agenda, this.#link(link), {
        from: from * 1000,
        until: until * 1000,
        ...(bytes === undefined ? {} : { bytes }),
      }),
    );
    for (const [id, stream] of this.#specs()) this.#encode(id, stream);
    this.#agenda.enter(0, (at) => this.#step(at));
    this.#agenda.runUntil(seconds * 1000);
    return {
      scenario: this.#scenario,
      streams: this.#streams,
      viewers: this.#watching.map(({ trace }) => trace),
      competitors: flows,
      last: this.#last,
    };
  }

  #specs(): readonly (readonly [StreamId, StreamSpec])[] {
    const { stream1, stream2 } = this.#scenario.streams;
    return [
      ...(stream1 === undefined ? [] : [['stream1', stream1] as const]),
      ...(stream2 === undefined ? [] : [['stream2', stream2] as const]),
    ];
  }

  #link(index: number): Link {
    const link = this.#links[index];
    if (link === undefined) throw new Error(`There is no link ${String(index)}`);
    return link;
  }

  #encode(id: StreamId, { wish, encoder: spec }: StreamSpec): void {
    const start = id === 'stream1' ? this.#scenario.start : wish.bitrate;
    const encoder = new Encoder(spec, start, this.#scenario.seed * 31 + (id === 'stream1' ? 1 : 2));
    this.#encoders.set(id, encoder);
    this.#targets.set(id, start);
    this.#encoded.set(id, []);
    const frame = (at: number): void => {
      const picture = encoder.next(at, this.#targets.get(id) ?? start);
      this.#encoded.get(id)?.push({ at, bytes: picture.bytes });
      for (const watching of this.#watching) {
        if (picture.key && watching.goesTo === id) watching.stream = id;
        if (watching.stream === id && isPlaying(watching.spec, at)) watching.send(at, picture);
      }
      this.#agenda.enter(at + 1000 / encoder.framerate, frame);
    };
    this.#agenda.enter(0, frame);
  }

  #watch(spec: ViewerSpec, index: number): Watching {
    const link = this.#link(spec.link);
    const traced = { spec, target: new Column(), moves: [] };
    const started = { spec, stream: spec.wished, goesTo: spec.wished };
    if (spec.feedback.kind === 'socket') {
      const flow = new SocketFlow(this.#agenda, link, spec.id);
      return {
        ...started,
        trace: { ...traced, pictures: flow.pictures, flow: undefined, arrivals: flow.arrivals },
        send: (at, picture) => flow.send(at, picture),
        poll: (at) => flow.sample(at),
      };
    }
    const interactive = spec.feedback.kind === 'transport';
    const flow: MediaFlow = new MediaFlow(this.#agenda, link, {
      repeatsForMs: interactive ? 500 : 0,
      onGivenUp: () => {
        if (interactive) this.#encoders.get(watching.stream)?.requestKeyframe();
      },
    });
    const watching: Watching = {
      ...started,
      trace: {
        ...traced,
        pictures: flow.pictures,
        flow,
        arrivals: { at: flow.arrivedAt, bytes: flow.bytes },
      },
      send: (at, picture) => flow.send(at, picture),
    };
    if (spec.feedback.kind === 'transport') this.#feedTransport(spec, spec.feedback, flow, index);
    else this.#feedReports(spec, spec.feedback, flow);
    return watching;
  }

  #feedTransport(
    { id }: ViewerSpec,
    { everyMs, loss = 0, delayMs }: Extract<ViewerSpec['feedback'], { kind: 'transport' }>,
    flow: MediaFlow,
    index: number,
  ): void {
    const feedback = new TransportFeedback(id, flow);
    const luck = chance(this.#scenario.seed * 77 + index);
    const tell = (at: number): void => {
      const known = feedback.report(at);
      if (known !== undefined) {
        const lost = luck.next() < loss;
        const later = flow.link.spec.delayMs + (delayMs?.(at / 1000) ?? 0);
        this.#agenda.enter(at + later, (then) => {
          if (lost) feedback.miss(known);
          else this.#samples.push(feedback.receive(then, known));
        });
      }
      this.#agenda.enter(at + everyMs, tell);
    };
    this.#agenda.enter(everyMs + index * 7, tell);
  }

  #feedReports(
    { id }: ViewerSpec,
    spec: Extract<ViewerSpec['feedback'], { kind: 'report' }>,
    flow: MediaFlow,
  ): void {
    const feedback = new ReportFeedback(id, flow, spec);
    const look = (at: number): void => {
      const report = feedback.look(at);
      if (report !== undefined)
        this.#agenda.enter(at + flow.link.spec.delayMs, (then) =>
          this.#samples.push({ ...report, at: then }),
        );
      this.#agenda.enter(at + lookMs, look);
    };
    this.#agenda.enter(lookMs, look);
  }

  #step(at: number): void {
    const present = this.#watching.filter(({ spec }) => isPresent(spec, at));
    for (const { poll } of present) if (poll !== undefined) this.#samples.push(poll(at));
    const output = this.#decide({
      at,
      settings: this.#settings,
      streams: Object.fromEntries(this.#specs().map(([id, spec]) => [id, this.#wish(id, spec, at)])),
      viewers: present.map(({ spec, stream }): Viewer => ({
        id: spec.id,
        stream,
        wished: spec.wished,
        movable: spec.movable,
      })),
      samples: this.#samples,
    });
    this.#samples = [];
    this.#follow(at, output);
    this.#agenda.enter(at + stepMs, (next) => this.#step(next));
  }

  #wish(id: StreamId, { wish }: StreamSpec, at: number): StreamSpec['wish'] {
    const recent = (this.#encoded.get(id) ?? []).filter((picture) => picture.at > at - rateMs);
    this.#encoded.set(id, recent);
    const encodedBps = (recent.reduce((sum, { bytes }) => sum + bytes, 0) * 8000) / rateMs;
    // A wish that is low at first makes the controller begin there, as if a person had then asked for more.
    const begins = id === 'stream1' && at === 0;
    const bitrate = begins ? this.#scenario.start : (this.#written(id) ?? wish.bitrate);
    return { ...wish, bitrate, ...(at < rateMs ? {} : { encodedBps }) };
  }

  /** The law of the reference writes the setting that it starts from. */
  #written(id: StreamId): number | undefined {
    const isWritten = id === 'stream1' && this.#settings.mode === 'rotoclear';
    return isWritten ? this.#last?.streams.stream1?.target : undefined;
  }

  #follow(at: number, output: LoopOutput): void {
    this.#last = output;
    for (const [id] of this.#specs()) {
      const decision = output.streams[id];
      const encoder = this.#encoders.get(id);
      if (decision === undefined || encoder === undefined) continue;
      this.#targets.set(id, decision.target);
      encoder.framerate = Math.min(encoder.spec.framerate, decision.rung.framerate ?? Infinity);
      const trace = this.#streams[id];
      trace.at.push(at);
      trace.target.push(decision.target);
      trace.reasons.push(decision.reason);
    }
    for (const { trace } of this.#watching)
      trace.target.push(output.viewers[trace.spec.id]?.target ?? Number.NaN);
    for (const { viewer, to, reason } of output.moves) {
      const watching = this.#watching.find(({ spec }) => spec.id === viewer);
      if (watching === undefined) continue;
      watching.goesTo = to;
      watching.trace.moves.push({ at, to, reason });
    }
  }
}

function emptyTrace(): StreamTrace {
  return { at: new Column(), target: new Column(), reasons: [] };
}

function isPresent({ from = 0, until = Infinity }: ViewerSpec, at: number): boolean {
  return at >= from * 1000 && at < until * 1000;
}

function isPlaying(spec: ViewerSpec, at: number): boolean {
  const [from = Infinity, until = Infinity] = spec.paused ?? [];
  return isPresent(spec, at) && !(at >= from * 1000 && at < until * 1000);
}
