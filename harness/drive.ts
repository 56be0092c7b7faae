/**
 * Runs a program on an allocator and records what it asked for. The trace of that run, replayed on the same allocator,
 * takes the same course, because allocators are deterministic: so a program is measured like any other workload.
 */
import { type Allocator, isPhaseAware, isReorganizing, type MoveLog, none, type Ref } from "../allocators/allocator.js";
import { type AddressSpace, createAddressSpace } from "../memory/address-space.js";
import type { ProgramHeap } from "../workloads/program.js";
import type { Trace } from "../workloads/trace.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import { type AllocatorArm, type DemandArm, isProgramArm, type ProgramArm } from "./arm.js";
import { reachSafepoint, SEGMENT } from "./safepoint.js";

/** What a program did on an allocator. */
export interface Drive {
  readonly trace: Trace;
  /** `exhausted`: the last event of the trace is the request that found no memory. */
  readonly state: "completed" | "exhausted";
  /** Bytes from the lowest start to the highest end that any block ever had, as asked for. */
  readonly extent: number;
  readonly peakLive: number;
  /** Sizes of all allocations. */
  readonly allocated: number;
  /** The address space after the run, with its peaks and costs. */
  readonly space: AddressSpace;
}

/** Ends a program from within `allocate`. */
class Exhausted extends Error {}

/** A recorded heap: safepoints are where a session has them, after every `SEGMENT` events. */
class DrivenHeap implements ProgramHeap {
  moves = 0;
  live = 0;
  peakLive = 0;
  allocated = 0;
  lowest = Number.POSITIVE_INFINITY;
  highest = 0;
  readonly builder: TraceBuilder;
  private readonly allocator: Allocator;
  private readonly space: AddressSpace;
  private readonly refs: Ref[] = [];
  private readonly sizes: number[] = [];
  private readonly log: MoveLog = {
    move: () => {
      this.moves++;
    },
  };

  constructor(name: string, allocator: Allocator, space: AddressSpace) {
    this.builder = new TraceBuilder(name);
    this.allocator = allocator;
    this.space = space;
  }

  allocate(size: number): number {
    const block = this.builder.allocate(size);
    let ref = this.allocator.allocate(size);
    if (ref === none && isReorganizing(this.allocator)) {
      this.allocator.compact(Number.POSITIVE_INFINITY, this.log);
      ref = this.allocator.allocate(size);
    }
    if (ref === none) throw new Exhausted();
    this.refs[block] = ref;
    this.sizes[block] = size;
    this.allocated += size;
    this.live += size;
    if (this.live > this.peakLive) this.peakLive = this.live;
    const at = this.allocator.addressOf(ref);
    if (at < this.lowest) this.lowest = at;
    if (at + size > this.highest) this.highest = at + size;
    this.settle();
    return block;
  }

  free(block: number): void {
    this.builder.free(block);
    this.live -= this.sizes[block];
    this.allocator.free(this.refs[block]);
    this.settle();
  }

  addressOf(block: number): number {
    return this.allocator.addressOf(this.refs[block]);
  }

  phase(label: string): void {
    const mark = this.builder.phase(label);
    if (isPhaseAware(this.allocator)) this.allocator.phase(mark);
    this.settle();
  }

  /** After each event. */
  private settle(): void {
    const { allocator, builder } = this;
    this.space.log.clear();
    if (builder.length % SEGMENT === 0) reachSafepoint(allocator, builder.length, this.log);
  }
}

/** Drives a heap of the arm with the program. `limit` bounds the bytes that may be mapped. */
export function drive(
  program: Pick<ProgramArm, "spec" | "options">,
  seed: number,
  arm: Pick<AllocatorArm, "spec" | "options">,
  limit?: number,
): Drive {
  const space = createAddressSpace(limit);
  const heap = new DrivenHeap(program.spec.name, arm.spec.create(space, arm.options), space);
  let state: Drive["state"] = "completed";
  try {
    program.spec.run(heap, seed, program.options);
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    state = "exhausted";
  }
  const { peakLive, allocated, highest, lowest } = heap;
  const extent = Math.max(0, highest - lowest);
  return { trace: heap.builder.build(), state, extent, peakLive, allocated, space };
}

/** The trace of a workload, or the one that a program makes on the allocator within `limit` bytes. */
export async function traceFor(
  demand: DemandArm,
  seed: number,
  allocator: Pick<AllocatorArm, "spec" | "options">,
  limit?: number,
): Promise<Trace> {
  if (isProgramArm(demand)) return drive(demand, seed, allocator, limit).trace;
  return demand.spec.generate(seed, demand.options);
}
