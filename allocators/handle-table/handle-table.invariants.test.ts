import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost, costsByName } from "../../memory/costs.js";
import { formatSelector } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { isCompacting, none, type Ref, unlogged } from "../allocator.js";
import { type Checked, check } from "../checked.js";
import { CompactingHandles } from "./compacting-handles.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";
import { UNIT } from "./heap-pages.js";

type Step =
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

/** Invariants 1 to 3 of the heap and the table, and their accounts. */
function checkStructure(heap: CompactingHandles, space: AddressSpace, objects: number): void {
  const { entries, heap: backing } = heap.handles;
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
      must(entries.blockOf(owner) === at, `entry ${owner} points elsewhere than to ${at}`);
      must(entries.askedOf(owner) <= backing.capacityOf(at), `block ${at} is smaller than its object`);
      owners.add(owner);
      liveUnits += units;
      asked += entries.askedOf(owner);
    }
    before = units;
    at += Math.abs(units);
  }
  must(at === blocks.top && blocks.beforeAt(at) === before, "the walk does not end at the top");
  must(!reuses || before >= 0, "the last block is free");
  expect([owners.size, backing.liveUnits, backing.asked]).toEqual([objects, liveUnits, asked]);
  if (reuses) checkLists(heap, free);
}

/** The lists hold exactly the free blocks, each in its class. */
function checkLists(heap: CompactingHandles, free: Map<number, number>): void {
  const { blocks } = heap.handles.heap;
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
class Program {
  readonly space: AddressSpace = createAddressSpace();
  readonly inner: CompactingHandles;
  readonly heap: Checked;
  private readonly options: Partial<HandleTableOptions>;
  private readonly live: Held[] = [];
  private readonly doomed: Held[] = [];
  private readonly dead: Ref[] = [];
  private highestEntry = 0;
  private aligned = false;

  constructor(options: Partial<HandleTableOptions>) {
    this.options = options;
    const made = handleTable.create(this.space, options);
    if (!(made instanceof CompactingHandles)) throw new Error("these options give no compaction");
    this.inner = made;
    this.heap = check(handleTable, made, this.space);
  }

  take(step: Step): void {
    if (step.do === "allocate") this.allocate(step.size, step.alignment);
    else if (step.do === "compact") this.compact(step.budget);
    else if (step.do === "stale") this.touchStale(step.pick);
    else if (step.do === "unpin") this.unpin(step.pick);
    else if (this.live.length > 0) this.change(step, step.pick % this.live.length);
  }

  check(): void {
    checkStructure(this.inner, this.space, this.live.length + this.doomed.length);
    this.heap.audit();
    const table = this.space.mappedFor(Use.table);
    expect(table).toBe(Math.ceil(this.highestEntry / 512) * 4096);
    expect(this.space.footprint).toBe(this.space.resident + table);
    expect(this.space.resident).toBeLessThanOrEqual(this.space.mappedFor(Use.heap));
    expect(this.space.mapped).toBe(this.space.mappedFor(Use.heap) + table);
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
    const { blocks, liveUnits } = this.inner.handles.heap;
    const { costs } = this.space;
    const top = blocks.top;
    const before = this.inAddressOrder();
    const largest = Math.max(0, ...this.live.map((held) => this.inner.capacityOf(held.ref) + UNIT));
    const bytesMoved = costs[Cost.bytesMoved];
    const moved = this.heap.compact(budget, unlogged);
    expect(costs[Cost.bytesMoved]).toBe(bytesMoved + moved);
    if (budget === 0) expect(moved).toBe(0);
    expect(moved).toBeLessThan(budget + Math.max(1, largest));
    expect(blocks.top).toBeLessThanOrEqual(top);
    expect(blocks.beforeAt(blocks.top), "the last block is free after a pass").toBeGreaterThanOrEqual(0);
    if (this.options.compact === "twoFinger") return;
    expect(this.inAddressOrder()).toEqual(before);
    const pinned = this.doomed.length > 0 || this.live.some((held) => held.pins > 0);
    if (budget === Number.POSITIVE_INFINITY && !pinned && !this.aligned && this.options.trimOnMove !== true) {
      expect(blocks.top).toBe(liveUnits);
      expect(this.space.resident).toBe(Math.ceil(liveUnits / 256) * 4096);
    }
  }

  private inAddressOrder(): Ref[] {
    return this.live.map((held) => held.ref).sort((a, b) => this.inner.addressOf(a) - this.inner.addressOf(b));
  }
}

/** Option sets, with the number of long programs for each. */
const variants: [Partial<HandleTableOptions>, number][] = [
  [{}, 20],
  [{ compact: "twoFinger" }, 20],
  [{ place: "bump" }, 5],
  [{ place: "bump", compact: "twoFinger" }, 5],
  [{ fit: "firstInList", trimOnMove: true, minSplit: 64, generations: 2, growth: 4096 }, 5],
  [{ compact: "twoFinger", trimOnMove: true, minHolePages: 2, tailRelease: 2 }, 5],
];

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 16, 17, 32, 48, 4064, 4080, 4096) },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 30_000 }) },
);
const pick = fc.nat(1_000_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("allocate" as const),
      size,
      alignment: fc.constantFrom(0, 0, 0, 0, 0, 32, 256),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("free" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reallocate" as const), pick, size }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("pin" as const, "unpin" as const, "stale" as const), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      budget: fc.constantFrom(0, 40, 1000, Infinity, Infinity),
    }),
  },
);

/** A random program of many steps that grows, pins little and compacts often. */
function* longProgram(seed: number, steps: number): Generator<Step> {
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

for (const [options, seeds] of variants) {
  describe(`${formatSelector("handle-table", handleTable.options, { ...handleTable.defaults, ...options })}`, () => {
    it("keeps its structure, contents, handles and accounts after every step of short programs", () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 50, size: "max" }), (steps) => {
          const program = new Program(options);
          for (const one of steps) {
            program.take(one);
            program.check();
          }
        }),
        { numRuns: 60 },
      );
    });

    it("keeps them through long programs", () => {
      for (let seed = 0; seed < seeds; seed++) {
        const program = new Program(options);
        let i = 0;
        for (const one of longProgram(seed, 4000)) {
          program.take(one);
          if (++i % 400 === 0) program.check();
        }
      }
    });
  });
}

describe("two runs of one program", () => {
  it("end with identical counters", () => {
    const ends = [0, 1].map(() => {
      const program = new Program({});
      for (const one of longProgram(7, 3000)) program.take(one);
      return { costs: costsByName(program.space.costs), footprint: program.space.peakFootprint };
    });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]?.costs.moves).toBeGreaterThan(100);
  });
});
