/**
 * One run: a trace replayed on one allocator in an address space of its own, watched at safepoints. Nothing here depends
 * on the clock of the machine, so a run gives the same result everywhere.
 */
import { setImmediate as turn } from "node:timers/promises";
import {
  type Allocator,
  isReorganizing,
  isStaleAware,
  type Ref,
  type StaleUse,
  unlogged,
} from "../allocators/allocator.js";
import { type Checked, check } from "../allocators/checked.js";
import type { AnyAllocatorSpec } from "../allocators/registry.js";
import { type Address, type AddressSpace, createAddressSpace } from "../memory/address-space.js";
import type { Coefficients } from "../memory/coefficients.js";
import { Cost, type CostName, costsByName } from "../memory/costs.js";
import { HeapError } from "../memory/errors.js";
import { HeapMap, Kind } from "../memory/heap-map.js";
import type { OptionValue } from "../memory/options.js";
import { OP_MASK, Op, type Trace } from "../workloads/trace.js";
import { coefficientsOf, millisecondsOf } from "./cost-time.js";
import { fittedOptions } from "./fit.js";
import { peakOf } from "./metrics/demand.js";
import { type ExtentMeter, measureExtent } from "./metrics/extent.js";
import { type Fragmentation, FragmentationMeter } from "./metrics/fragmentation.js";
import { layoutOf, type Piece } from "./metrics/layout.js";
import { type Occupancy, OccupancyRecorder } from "./metrics/occupancy.js";
import { PauseMeter, type Pauses } from "./metrics/pauses.js";
import type { Series } from "./metrics/series.js";
import { type Snapshot, snapshot } from "./metrics/snapshot.js";
import { replayLoopFor } from "./replay.js";
import { EVENTS_PER_MILLISECOND, reachSafepoint, runPass, SEGMENT } from "./safepoint.js";

export interface SessionSettings {
  /** Bytes that may be mapped. Default: no limit. */
  readonly limit?: number;
  /** Evenly spaced looks at the heap. Default 64. */
  readonly looks?: number;
  /** Bound on the thinned course: at most four points for each bin. Default 256. */
  readonly bins?: number;
  /** Rows of a heap map over the evenly spaced looks; 0 (default) for none. */
  readonly mapRows?: number;
  /**
   * Virtual milliseconds after the last event in which the program asks for nothing and controllers go on; the look at
   * the end comes after them. On the clock of events they count as so many events. Default 0.
   */
  readonly idle?: number;
  /** Coefficients that turn counts into time, as `coefficientsOf` reads them. Default `raw`. */
  readonly costs?: string;
  /**
   * Dereferences of each object in its life, counted as table loads besides those of the trace's access events, for
   * allocators that have a table. Default 0.
   */
  readonly accesses?: number;
  /** Runs with real bytes and audits the heap at each look. Slow. */
  readonly checked?: boolean;
  /** Keeps the layout of the heap, block by block, at each labelled look. For heaps of a few blocks. */
  readonly layouts?: boolean;
  /** Measures the extent: every placement is looked at, which takes time. */
  readonly extent?: boolean;
}

export interface SessionResult {
  readonly state: "completed" | "exhausted";
  /** Events that ran; where `exhausted`, also the index of the event that found no memory. */
  readonly events: number;
  readonly fragmentation: Fragmentation;
  readonly peakMapped: number;
  readonly peakResident: number;
  readonly endMapped: number;
  /** Bytes from the lowest start to the highest end that any block ever had, where it was asked for. */
  readonly extent?: number;
  /** The resolved options of the allocator. */
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly allocations: number;
  readonly costs: Readonly<Record<CostName, number>>;
  /** Virtual milliseconds of all that was counted. */
  readonly costTime: number;
  readonly pauses: Pauses;
  readonly series: Series;
  readonly snapshots: readonly Snapshot[];
  readonly occupancy?: Occupancy;
  readonly layouts?: readonly LabelledLayout[];
  /** The first use of a handle whose object was gone, if there was one. */
  readonly firstStale?: StaleUse;
}

/** The heap at a labelled look. */
export interface LabelledLayout {
  readonly label: string;
  readonly pieces: readonly Piece[];
}

/** Events between two turns of the event loop. */
const TURN = 32 * SEGMENT;

interface Look {
  /** Look when this many events have run. */
  readonly at: number;
  readonly label: string;
}

/** Moments to look at: evenly spaced, at each mark, at the peak of demand and at the end. */
function looksFor(trace: Trace, count: number): Look[] {
  const looks: Look[] = [];
  for (let k = 1; k < count; k++) {
    const at = Math.round((trace.length * k) / count);
    if (at > (looks[looks.length - 1]?.at ?? 0)) looks.push({ at, label: "" });
  }
  if (trace.labels.length > 0) {
    for (let i = 0; i < trace.length; i++) {
      if ((trace.op[i] & OP_MASK) === Op.phase) looks.push({ at: i + 1, label: trace.labels[trace.slot[i]] ?? "" });
    }
  }
  looks.push({ at: peakOf(trace).event + 1, label: "peak" }, { at: trace.length, label: "end" });
  // Stable: looks at one moment keep the order above.
  return looks.sort((a, b) => a.at - b.at);
}

/** Whether the program uses blocks that it has freed. */
function usesStale(trace: Trace): boolean {
  return trace.op.some((op) => (op & OP_MASK) === Op.stale);
}

class Session {
  private readonly trace: Trace;
  private readonly space: AddressSpace;
  private readonly allocator: Allocator;
  /** The allocator without checks and meters around it. */
  private readonly inner: Allocator;
  private readonly checks: Checked | undefined;
  private readonly meter: FragmentationMeter;
  private readonly map = new HeapMap();
  private readonly recorder: OccupancyRecorder | undefined;
  private readonly layouts: LabelledLayout[] | undefined;
  private readonly extent: ExtentMeter | undefined;
  private readonly refs: Float64Array;
  private readonly isPlaceless: boolean;
  /** Event times after the last event. */
  private readonly idle: number;
  private readonly pauses: PauseMeter;
  private readonly coefficients: Coefficients;
  /** Table loads of each object that the trace does not show. */
  private readonly loads: number;
  private readonly options: object;
  readonly snapshots: Snapshot[] = [];

  constructor(spec: AnyAllocatorSpec, options: object, trace: Trace, settings: SessionSettings) {
    this.trace = trace;
    this.space = createAddressSpace(settings.limit);
    const inner = spec.create(this.space, options);
    this.inner = inner;
    this.checks = settings.checked ? check(spec, inner, this.space, usesStale(trace)) : undefined;
    this.isPlaceless = spec.placeless === true;
    this.extent = settings.extent && !this.isPlaceless ? measureExtent(this.checks ?? inner, this.space) : undefined;
    this.allocator = this.extent?.allocator ?? this.checks ?? inner;
    this.idle = Math.ceil((settings.idle ?? 0) * EVENTS_PER_MILLISECOND);
    this.options = options;
    this.coefficients = coefficientsOf(settings.costs);
    this.pauses = new PauseMeter(this.space, this.coefficients);
    // A bound has no table to go through, and patched pointers need none.
    this.loads = spec.indirect && !spec.placeless && !spec.patched ? (settings.accesses ?? 0) : 0;
    this.meter = new FragmentationMeter(trace, this.space.log, settings.bins ?? 256, this.idle);
    this.recorder = settings.mapRows ? new OccupancyRecorder() : undefined;
    this.layouts = settings.layouts ? [] : undefined;
    this.refs = new Float64Array(trace.slots);
  }

  async run(looks: readonly Look[]): Promise<number> {
    const { trace, allocator, space, meter, refs } = this;
    const replaySegment = await replayLoopFor(allocator);
    let next = 0;
    let at = 0;
    meter.settle(0);
    while (at < trace.length) {
      const look = looks[next];
      const target = Math.min(at - (at % SEGMENT) + SEGMENT, trace.length, look.at);
      let reached = replaySegment(allocator, trace, refs, space.log, at, target);
      meter.take(at, reached);
      if (reached < target) {
        // No memory: compact once, try that event again, and give up if it still does not fit.
        this.compactFully(reached);
        const retried = replaySegment(allocator, trace, refs, space.log, reached, reached + 1);
        if (retried === reached) return reached;
        meter.take(reached, retried);
        reached = retried;
      }
      at = reached;
      // A long run must not keep a signal waiting: Node hears it in a turn of the event loop.
      if (at % TURN === 0) await turn();
      // Only here, so that looking at a heap never changes what happens to it.
      if (at % SEGMENT === 0 && reachSafepoint(allocator, at, unlogged, this.pauses)) meter.settle(at);
      for (; next < looks.length && looks[next].at <= at; next++) {
        const isEnd = looks[next].label === "end" && next === looks.length - 1;
        if (isEnd) this.rest(at);
        this.look(looks[next], isEnd ? at + this.idle : at);
      }
    }
    return at;
  }

  /** The program asks for nothing while `idle` event times pass. */
  private rest(from: number): void {
    const { allocator, idle, meter, space } = this;
    for (let at = from - (from % SEGMENT) + SEGMENT; at <= from + idle; at += SEGMENT) {
      space.log.now = at;
      if (reachSafepoint(allocator, at, unlogged, this.pauses)) meter.settle(at);
    }
    meter.rest(from + idle);
  }

  result(events: number, mapRows: number): SessionResult {
    const { space, meter } = this;
    const fragmentation = meter.result();
    if (fragmentation.peakFootprint !== space.peakFootprint) {
      throw new HeapError(
        "structure",
        `peak footprint ${fragmentation.peakFootprint} by the log, ${space.peakFootprint} by the space`,
      );
    }
    const { allocations } = meter.demand;
    const stale = isStaleAware(this.inner) ? this.inner.firstStale : undefined;
    // A copy: the space may be asked again.
    const counts = space.costs.slice();
    counts[Cost.tableLoads] += this.loads * allocations;
    return {
      state: events === this.trace.length ? "completed" : "exhausted",
      events,
      fragmentation,
      peakMapped: space.peakMapped,
      peakResident: space.peakResident,
      endMapped: space.mapped,
      options: this.options as SessionResult["options"],
      allocations,
      costs: costsByName(counts),
      costTime: millisecondsOf(counts, this.coefficients),
      pauses: this.pauses.result(),
      series: meter.course(),
      snapshots: this.snapshots,
      ...(this.extent ? { extent: this.extent.extent() } : {}),
      ...(this.recorder ? { occupancy: this.recorder.build(mapRows) } : {}),
      ...(this.layouts ? { layouts: this.layouts } : {}),
      ...(stale === undefined ? {} : { firstStale: stale }),
    };
  }

  /** The look at a heap that has run out, in place of the looks that were planned. */
  lookAtEnd(events: number): void {
    this.look({ at: events, label: "end" }, events);
  }

  private compactFully(events: number): void {
    if (!isReorganizing(this.allocator)) return;
    runPass(this.allocator, Number.POSITIVE_INFINITY, unlogged, this.pauses);
    this.meter.settle(events);
  }

  private look(look: Look, events: number): void {
    this.map.clear();
    this.allocator.walk(this.map);
    this.checks?.audit();
    this.snapshots.push(snapshot(this.map, this.space, this.meter.demand, events, look.label, this.isPlaceless));
    if (look.label !== "")
      this.layouts?.push({ label: look.label, pieces: layoutOf(this.map, this.trace, this.refs, events) });
    if (look.label === "") this.recorder?.add(events, this.space, (visit) => this.eachLive(visit));
  }

  /** Each live block with the bytes asked for. A bound has no places: there a piece of the walk stands for all blocks. */
  private eachLive(visit: (start: Address, bytes: number) => void): void {
    const { allocator, map, refs, space } = this;
    const { demand } = this.meter;
    if (this.isPlaceless) {
      for (let i = 0; i < map.length; i++) if (map.kind[i] === Kind.live) visit(map.start[i], map.bytes[i]);
      return;
    }
    const counts = space.costs.slice();
    for (let slot = 0; slot < refs.length; slot++) {
      const bytes = demand.sizeOf(slot);
      if (bytes > 0) visit(allocator.addressOf(refs[slot] as Ref), bytes);
    }
    // The program did not ask for these addresses: no table was loaded.
    space.costs.set(counts);
  }
}

/**
 * Replays `trace` on a new heap of `spec`. Throws an `InputError` for impossible options and a `HeapError` for a broken
 * allocator; running out of memory is a result.
 */
export async function runSession(
  spec: AnyAllocatorSpec,
  options: object,
  trace: Trace,
  settings: SessionSettings = {},
): Promise<SessionResult> {
  const fitted = fittedOptions(spec, options, trace);
  const session = new Session(spec, fitted, trace, settings);
  const events = await session.run(looksFor(trace, settings.looks ?? 64));
  if (events === trace.length) return session.result(events, settings.mapRows ?? 0);
  session.lookAtEnd(events);
  const result = session.result(events, settings.mapRows ?? 0);
  if (events === 0) return result;
  // The planned look was at the peak of the whole trace: the peak of the part that ran takes a second run to look at.
  const prefix: Trace = { ...trace, length: events };
  const again = new Session(spec, fitted, prefix, { ...settings, extent: false });
  await again.run(looksFor(prefix, 1));
  const peak = again.snapshots.filter(({ label }) => label === "peak");
  const others = result.snapshots.filter(({ label }) => label !== "peak");
  return { ...result, snapshots: [...peak, ...others].sort((a, b) => a.event - b.event) };
}
