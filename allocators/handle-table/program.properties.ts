/** A program on a handle table with real bytes, and what must hold after each of its steps. */
import { expect } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { randomFor } from "../../memory/random.js";
import { isCompacting, none, type Ref, unlogged } from "../allocator.js";
import { type Checked, check } from "../checked.js";
import { allocators } from "../registry.js";
import type { BackingHeap } from "./backing-heap.js";
import { CompactingHandles } from "./compacting-handles.js";
import type { HandleEntries } from "./handle-entries.js";
import type { HandleHeap } from "./handle-heap.js";
import type { HandleTableOptions } from "./handle-table.js";
import { Handles } from "./handles.js";
import { UNIT } from "./heap-pages.js";
import { TwoHeapHandles } from "./two-heap-handles.js";

export type Step =
  | { readonly do: "allocate"; readonly size: number; readonly alignment: number }
  | { readonly do: "reallocate"; readonly pick: number; readonly size: number }
  | { readonly do: "free" | "pin" | "unpin" | "stale"; readonly pick: number }
  | { readonly do: "compact"; readonly budget: number };

interface Held {
  readonly ref: Ref;
  pins: number;
  size: number;
}

/** As `expect(...).toBe(true)`, which is slow for each block of each step. */
function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

/** The heaps of blocks behind a table; none where another allocator places them. */
function heapsOf(handles: HandleHeap): readonly BackingHeap[] {
  if (handles instanceof Handles) return [handles.heap];
  return handles instanceof TwoHeapHandles ? handles.heaps : [];
}

/** Invariants 1 to 3 of the heap and the table, and their accounts. */
function checkStructure(handles: HandleHeap, space: AddressSpace, objects: number): void {
  const counted = heapsOf(handles).map((heap, i) => checkHeap(heap, i << 29, handles.entries, space));
  let live = 0;
  handles.entries.eachLive(() => live++);
  expect(live).toBe(objects);
  if (counted.length > 0) expect(counted.reduce((sum, owners) => sum + owners, 0)).toBe(objects);
}

/** Returns the number of used blocks, each of which the table knows by its start with `bits` above it. */
function checkHeap(backing: BackingHeap, bits: number, entries: HandleEntries, space: AddressSpace): number {
  const { blocks, reuses } = backing;
  const free = new Map<number, number>();
  const owners = new Set<number>();
  let before = 0;
  let liveUnits = 0;
  let asked = 0;
  let at = 0;
  while (at < blocks.top) {
    const units = blocks.sizeAt(at);
    must(Math.abs(units) >= 2, `block ${at} is too small`);
    must(blocks.beforeAt(at) === before, `block ${at} has the wrong size before it`);
    const written = units < 0 && reuses ? 32 : 16;
    must(space.footprintOf(backing.pages.addressAt(at), written) === written, `the head of block ${at} lacks a page`);
    if (units < 0) {
      must(!reuses || before >= 0, `free blocks adjoin at ${at}`);
      free.set(at, -units);
    } else {
      const owner = blocks.ownerAt(at);
      must(!owners.has(owner), `entry ${owner} owns two blocks`);
      must(entries.blockOf(owner) === (at | bits), `entry ${owner} points elsewhere than to ${at}`);
      must(entries.unitsOf(owner) === units, `entry ${owner} has the wrong size`);
      must(entries.askedOf(owner) <= (units - 1) * UNIT, `block ${at} is smaller than its object`);
      owners.add(owner);
      liveUnits += units;
      asked += entries.askedOf(owner);
    }
    before = units;
    at += Math.abs(units);
  }
  must(at === blocks.top && blocks.beforeAt(at) === before, "the walk does not end at the top");
  must(!reuses || before >= 0, "the last block is free");
  expect([backing.liveUnits, backing.asked]).toEqual([liveUnits, asked]);
  if (reuses) checkLists(backing, free);
  return owners.size;
}

/** The lists hold exactly the free blocks, each in its class. */
function checkLists({ blocks }: BackingHeap, free: Map<number, number>): void {
  const listed = new Map<number, number>();
  blocks.eachListed(0, (block, units, own) => {
    const payload = (units - 1) * UNIT;
    must(own === 16 || payload <= 1 << own, `block ${block} is too large for list ${own}`);
    must(payload > 1 << (own - 1), `block ${block} is too small for list ${own}`);
    listed.set(block, units);
  });
  must(listed.size === free.size, `${listed.size} blocks are listed, ${free.size} are free`);
  for (const [block, units] of listed) must(free.get(block) === units, `block ${block} is listed but not free`);
}

/** A program that holds refs, with real bytes, and everything that must hold after each of its steps. */
export class Program {
  readonly space: AddressSpace = createAddressSpace();
  readonly inner: CompactingHandles<HandleHeap>;
  readonly heap: Checked;
  private readonly options: Partial<HandleTableOptions>;
  private readonly live: Held[] = [];
  private readonly doomed: Held[] = [];
  private readonly dead: Ref[] = [];
  private highestEntry = 0;
  private aligned = false;

  constructor(options: Partial<HandleTableOptions>) {
    this.options = options;
    const spec = allocators["handle-table"];
    const made = spec.create(this.space, options);
    if (!(made instanceof CompactingHandles)) throw new Error("these options give no compaction");
    this.inner = made;
    this.heap = check(spec, made, this.space);
  }

  take(step: Step): void {
    if (step.do === "allocate") this.allocate(step.size, step.alignment);
    else if (step.do === "compact") this.compact(step.budget);
    else if (step.do === "stale") this.touchStale(step.pick);
    else if (step.do === "unpin") this.unpin(step.pick);
    else if (this.live.length > 0) this.change(step, step.pick % this.live.length);
  }

  check(): void {
    checkStructure(this.inner.handles, this.space, this.live.length + this.doomed.length);
    this.heap.audit();
    const { space, options } = this;
    const table = space.mappedFor(Use.table);
    const pages = Math.ceil((this.highestEntry * (options.entryBytes ?? 8)) / 4096);
    // Beside the pages that can go lies a page of their directory.
    if (options.releaseTablePages === true) expect(table).toBeLessThanOrEqual((pages + 1) * 4096);
    else expect(table).toBe(pages * 4096);
    expect(space.footprint).toBe(space.resident + table + space.mappedFor(Use.meta));
    expect(space.resident).toBeLessThanOrEqual(space.mappedFor(Use.heap));
  }

  private allocate(size: number, alignment: number): void {
    const ref = alignment === 0 ? this.heap.allocate(size) : this.heap.allocate(size, alignment);
    expect(ref).not.toBe(none);
    if (alignment > 16) this.aligned = true;
    this.highestEntry = Math.max(this.highestEntry, ref % 0x100000000);
    this.live.push({ ref, pins: 0, size });
  }

  private change(step: Exclude<Step, { do: "allocate" | "compact" | "unpin" | "stale" }>, index: number): void {
    const held = this.live[index];
    if (step.do === "pin") {
      if (isCompacting(this.heap)) this.heap.pin(held.ref);
      held.pins++;
    } else if (step.do === "reallocate") {
      expect(this.heap.reallocate(held.ref, step.size)).toBe(held.ref);
    } else {
      this.heap.free(held.ref);
      this.live.splice(index, 1);
      this.dead.push(held.ref);
      if (held.pins > 0) this.doomed.push(held);
    }
  }

  private unpin(pick: number): void {
    const pinned = [...this.live, ...this.doomed].filter((held) => held.pins > 0);
    if (pinned.length === 0 || !isCompacting(this.heap)) return;
    const held = pinned[pick % pinned.length];
    this.heap.unpin(held.ref);
    held.pins--;
    if (held.pins === 0 && this.doomed.includes(held)) this.doomed.splice(this.doomed.indexOf(held), 1);
  }

  /** Every operation on a dead handle is noticed, and changes nothing. */
  private touchStale(pick: number): void {
    if (this.dead.length === 0) return;
    const ref = this.dead[pick % this.dead.length];
    const { costs } = this.space;
    const before = costs[Cost.staleHandles];
    this.inner.free(ref);
    expect(this.inner.addressOf(ref)).toBe(0);
    expect(this.inner.capacityOf(ref)).toBe(0);
    expect(this.inner.reallocate(ref, 100)).toBe(none);
    this.inner.pin(ref);
    expect(costs[Cost.staleHandles]).toBe(before + 5);
  }

  /** One pass: the budget, the top, the order of addresses, and what a full slide must reach. */
  private compact(budget: number): void {
    if (!isCompacting(this.heap)) return;
    const { handles, credit } = this.inner;
    const { costs } = this.space;
    const heaps = heapsOf(handles);
    const tops = heaps.map((heap) => heap.blocks.top);
    const before = this.inAddressOrder();
    const saved = credit?.left ?? Number.POSITIVE_INFINITY;
    // Where headers do not count, a block of no payload costs nothing.
    const header = this.options.payloadOnly === true ? 2 : 1;
    const largest = Math.max(0, ...this.live.map((held) => this.inner.capacityOf(held.ref) + UNIT));
    const bytesMoved = costs[Cost.bytesMoved];
    const moved = this.heap.compact(budget, unlogged);
    expect(costs[Cost.bytesMoved]).toBe(bytesMoved + moved);
    if (budget === 0) expect(moved).toBe(0);
    expect(moved).toBeLessThan(header * budget + Math.max(1, largest));
    expect(moved).toBeLessThan(Math.max(0, saved) + Math.max(1, largest));
    if (this.options.compact !== "semispace") this.checkTops(heaps, tops);
    if ((this.options.compact ?? "slide") === "slide") this.checkSlide(budget, before);
  }

  private checkTops(heaps: readonly BackingHeap[], tops: readonly number[]): void {
    heaps.forEach(({ blocks }, i) => {
      expect(blocks.top).toBeLessThanOrEqual(tops[i]);
      expect(blocks.beforeAt(blocks.top), "the last block is free after a pass").toBeGreaterThanOrEqual(0);
    });
  }

  private checkSlide(budget: number, before: readonly Ref[]): void {
    const { options, inner } = this;
    expect(this.inAddressOrder()).toEqual(before);
    const pinned = this.doomed.length > 0 || this.live.some((held) => held.pins > 0);
    const held = pinned || this.aligned || options.pins !== undefined || options.cPartial !== undefined;
    if (budget !== Number.POSITIVE_INFINITY || held || options.trimOnMove === true) return;
    const [{ blocks, liveUnits }] = heapsOf(inner.handles);
    expect(blocks.top).toBe(liveUnits);
    expect(this.space.resident).toBe(Math.ceil(liveUnits / 256) * 4096);
  }

  private inAddressOrder(): Ref[] {
    return this.live.map((held) => held.ref).sort((a, b) => this.inner.addressOf(a) - this.inner.addressOf(b));
  }
}

/**
 * Takes steps out of a failing program while it goes on failing, in at most `tries` runs (Zeller & Hildebrandt's ddmin,
 * TSE 2002).
 */
export function minimal(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => boolean,
  tries: number,
): readonly Step[] {
  let least = steps;
  let left = tries;
  for (let parts = 2; parts <= least.length; ) {
    const length = Math.ceil(least.length / parts);
    const rest = Array.from({ length: parts }, (_, i) => [
      ...least.slice(0, i * length),
      ...least.slice((i + 1) * length),
    ]).find((some) => some.length < least.length && left-- > 0 && fails(some));
    if (rest !== undefined) {
      least = rest;
      parts = Math.max(2, parts - 1);
    } else if (parts === least.length) break;
    else parts = Math.min(least.length, 2 * parts);
  }
  return least;
}

/** Runs a program and checks everything after each `every` steps and at the end. */
export function run(options: Partial<HandleTableOptions>, steps: Iterable<Step>, every: number): void {
  const program = new Program(options);
  let i = 0;
  for (const step of steps) {
    program.take(step);
    if (++i % every === 0) program.check();
  }
  program.check();
}

/** A random program of many steps that grows, pins little and compacts often. */
export function* longProgram(seed: number, steps: number): Generator<Step> {
  const random = randomFor("handle-table", seed);
  const pickOne = (): number => random.below(1_000_000);
  for (let i = 0; i < steps; i++) {
    const dice = random.below(1000);
    const growing = (i >> 9) % 2 === 0 ? 100 : 0;
    const large = random.below(50) === 0 ? 40 : 1;
    if (dice < 400 + growing) {
      yield { do: "allocate", size: large * random.below(400), alignment: random.below(200) === 0 ? 64 : 0 };
    } else if (dice < 850) yield { do: "free", pick: pickOne() };
    else if (dice < 930) yield { do: "reallocate", pick: pickOne(), size: large * random.below(500) };
    else if (dice < 950) yield { do: "pin", pick: pickOne() };
    else if (dice < 980) yield { do: "unpin", pick: pickOne() };
    else if (dice < 990) yield { do: "stale", pick: pickOne() };
    else yield { do: "compact", budget: random.below(2) === 0 ? Number.POSITIVE_INFINITY : random.below(5000) };
  }
}
