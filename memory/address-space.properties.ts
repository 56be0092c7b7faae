/**
 * The address space against a naive model: what `address-space.test.ts` runs over any sequence of calls.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { createAddressSpace, Use } from "./address-space.js";
import { Cost, costNames } from "./costs.js";

const PAGE = 4096;

interface ModelPage {
  use: Use;
  /** Pages that show the same frame hold the same object. */
  frame: { resident: boolean; released: boolean };
}

/** The same promises kept in the plainest way: one map entry for each mapped page, everything counted afresh. */
class NaiveSpace {
  readonly pages = new Map<number, ModelPage>();
  readonly limit: number;
  readonly costs = new Float64Array(costNames.length);
  peakMapped = 0;
  peakResident = 0;
  peakFootprint = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get mapped(): number {
    return this.pages.size * PAGE;
  }
  get resident(): number {
    const frames = new Set(
      [...this.pages.values()].filter((page) => page.use === Use.heap && page.frame.resident).map((page) => page.frame),
    );
    return frames.size * PAGE;
  }
  get footprint(): number {
    return this.resident + this.mappedFor(Use.meta) + this.mappedFor(Use.table);
  }
  mappedFor(use: Use): number {
    return [...this.pages.values()].filter((page) => page.use === use).length * PAGE;
  }

  canMap(pages: number): boolean {
    return this.mapped + pages * PAGE <= this.limit;
  }
  map(first: number, pages: number, use: Use): void {
    for (let page = first; page < first + pages; page++) {
      expect(this.pages.has(page)).toBe(false);
      this.pages.set(page, { use, frame: { resident: false, released: false } });
    }
    this.count(Cost.osCalls, 1);
  }
  unmap(first: number, pages: number): void {
    for (let page = first; page < first + pages; page++) this.pages.delete(page);
    this.count(Cost.osCalls, 1);
  }
  touch(first: number, pages: number): void {
    for (const page of this.heapPages(first, pages)) {
      if (!page.frame.resident) this.count(Cost.pageFaults, 1);
      if (page.frame.released) this.count(Cost.refaults, 1);
      page.frame.resident = true;
      page.frame.released = false;
    }
    this.notePeaks();
  }
  discard(first: number, pages: number): number {
    let released = 0;
    for (const page of this.heapPages(first, pages)) {
      if (page.frame.resident) {
        released++;
        page.frame.released = true;
      }
      page.frame.resident = false;
    }
    this.count(Cost.osCalls, 1);
    this.count(Cost.releaseCalls, 1);
    this.count(Cost.pagesReleased, released);
    return released;
  }
  alias(from: number, to: number, pages: number): void {
    for (let i = 0; i < pages; i++) {
      const source = this.pages.get(from + i);
      const target = this.pages.get(to + i);
      if (source === undefined || target === undefined) throw new Error("the test aliases pages that are not mapped");
      target.frame = source.frame;
    }
    this.count(Cost.osCalls, 1);
  }

  remap(from: number, to: number, pages: number, newPages: number): void {
    const moved = [...Array(pages).keys()].map((i) => this.pages.get(from + i));
    for (let i = 0; i < pages; i++) this.pages.delete(from + i);
    for (let i = 0; i < newPages; i++) {
      expect(this.pages.has(to + i)).toBe(false);
      this.pages.set(to + i, moved[i] ?? { use: Use.heap, frame: { resident: false, released: false } });
    }
    this.count(Cost.osCalls, 1);
  }

  /** Byte by byte: a frame counts where its lowest page shows it. */
  footprintOf(at: number, bytes: number): number {
    let total = 0;
    for (const [page, { use, frame }] of this.pages) {
      const overlap = Math.min(at + bytes, (page + 1) * PAGE) - Math.max(at, page * PAGE);
      if (overlap <= 0) continue;
      const lowest = [...this.pages].filter(([, other]) => other.frame === frame).every(([other]) => other >= page);
      if (use !== Use.heap || (frame.resident && lowest)) total += overlap;
    }
    return total;
  }
  /** Of the page that lies lowest among those that show the frame. */
  frameOf(at: number): number {
    const page = Math.floor(at / PAGE);
    const frame = this.pages.get(page)?.frame;
    const lowest = Math.min(...[...this.pages].filter(([, other]) => other.frame === frame).map(([other]) => other));
    return at + (lowest - page) * PAGE;
  }
  regions(): [number, number, Use][] {
    const regions: [number, number, Use][] = [];
    for (const [page, { use }] of [...this.pages].sort(([a], [b]) => a - b)) {
      const last = regions.at(-1);
      if (last !== undefined && last[0] + last[1] === page * PAGE && last[2] === use) last[1] += PAGE;
      else regions.push([page * PAGE, PAGE, use]);
    }
    return regions;
  }
  notePeaks(): void {
    this.peakMapped = Math.max(this.peakMapped, this.mapped);
    this.peakResident = Math.max(this.peakResident, this.resident);
    this.peakFootprint = Math.max(this.peakFootprint, this.footprint);
  }
  private heapPages(first: number, pages: number): ModelPage[] {
    return [...this.pages]
      .filter(([at, page]) => at >= first && at < first + pages && page.use === Use.heap)
      .map(([, page]) => page);
  }
  private count(cost: number, n: number): void {
    this.costs[cost] += n;
  }
}

/** A call of the space, or the next event; numbers choose among what is mapped then. */
export type Step = [kind: string, a: number, b: number, c: number];

export const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    "map",
    "map",
    "commit",
    "commit",
    "unmap",
    "touch",
    "touch",
    "touch",
    "discard",
    "alias",
    "alias",
    "remap",
    "next",
  ),
  fc.nat(1000),
  fc.nat(1000),
  fc.nat(1000),
);

/** Runs one sequence on the space and on the model and compares all they count after each step. */
export function compare(steps: readonly Step[], limit: number): void {
  const space = createAddressSpace(limit);
  const model = new NaiveSpace(limit);
  const reserved = [space.reserve(40 * PAGE, PAGE), space.reserve(64 * PAGE, 16 * PAGE)];
  let logged = 0;
  let highest = 0;
  for (const [kind, a, b, c] of steps) {
    const regions = model.regions();
    const [start, bytes] = regions[a % Math.max(1, regions.length)] ?? [0, 0];
    const pages = 1 + (b % 5);
    const use = ([Use.heap, Use.heap, Use.meta, Use.table] as const)[c % 4];
    const inside = Math.min(bytes, (1 + (c % 3)) * PAGE);
    const within = start + PAGE * (b % Math.max(1, (bytes - inside) / PAGE + 1));
    if (kind === "next") {
      space.log.now++;
    } else if (kind === "map") {
      const alignment = PAGE << (a % 4);
      const at = space.map(pages * PAGE - (a % PAGE), alignment, use);
      expect(at > 0).toBe(model.canMap(pages));
      expect(at % alignment).toBe(0);
      if (at > 0) model.map(at / PAGE, pages, use);
    } else if (kind === "commit") {
      const first = reserved[a % 2] / PAGE + (b % 36);
      if ([...Array(pages).keys()].some((i) => model.pages.has(first + i))) continue;
      const done = space.commit(first * PAGE, pages * PAGE, use);
      expect(done).toBe(model.canMap(pages));
      if (done) model.map(first, pages, use);
    } else if (bytes === 0) {
      continue;
    } else if (kind === "unmap") {
      space.unmap(within, inside);
      model.unmap(within / PAGE, inside / PAGE);
    } else if (kind === "touch") {
      const at = within + (a % PAGE);
      const length = Math.max(1, inside - (a % PAGE) - (b % 100));
      space.touch(at, length);
      model.touch(Math.floor(at / PAGE), Math.floor((at + length - 1) / PAGE) - Math.floor(at / PAGE) + 1);
    } else if (kind === "discard") {
      const slack = a % 2;
      if (inside === PAGE && slack === 1) expect(space.discard(within + 1, inside - 1)).toBe(0);
      else {
        const given = space.discard(within + slack, inside - slack);
        expect(given).toBe(model.discard(within / PAGE + slack, inside / PAGE - slack));
      }
    } else if (kind === "remap") {
      const first = within / PAGE;
      const frames = [...Array(inside / PAGE).keys()].map((i) => model.pages.get(first + i));
      const shared = [...model.pages].some(([at, { frame }]) =>
        frames.some((page, i) => page?.use !== Use.heap || (page.frame === frame && at !== first + i)),
      );
      if (shared || pages * PAGE === inside) continue;
      const more = pages - inside / PAGE;
      const to = space.remap(within, inside, pages * PAGE);
      expect(to > 0).toBe(more <= 0 || model.canMap(more));
      if (more <= 0) expect(to).toBe(within);
      if (to > 0) model.remap(first, to / PAGE, inside / PAGE, pages);
    } else {
      const heap = regions.filter(([, , of]) => of === Use.heap);
      const [from, fromBytes] = heap[a % Math.max(1, heap.length)] ?? [0, 0];
      const [to, toBytes] = heap[b % Math.max(1, heap.length)] ?? [0, 0];
      const length = Math.min(fromBytes, toBytes, (1 + (c % 3)) * PAGE);
      if (length === 0) continue;
      const target = to + toBytes - length;
      space.alias(from, target, length);
      model.alias(from / PAGE, target / PAGE, length / PAGE);
    }
    model.notePeaks();
    highest = Math.max(highest, model.footprint);
    expect(read(space)).toEqual(read(model));
    const seen: [number, number, Use][] = [];
    space.regions((at, length, of) => seen.push([at, length, of]));
    expect(seen).toEqual(model.regions());
    for (const [at, length] of seen) {
      expect(space.footprintOf(at, length)).toBe(model.footprintOf(at, length));
      expect(space.footprintOf(at + 100, length - 300)).toBe(model.footprintOf(at + 100, length - 300));
      expect(space.frameOf(at + length - 1)).toBe(model.frameOf(at + length - 1));
    }
    const { log } = space;
    expect(log.length === 0 ? 0 : log.after[log.length - 1]).toBe(model.footprint);
    expect(log.length - logged).toBeLessThanOrEqual(1);
    if (log.length > logged) expect(log.when[log.length - 1]).toBe(log.now);
    logged = log.length;
  }
  expect(Math.max(0, ...space.log.peak.subarray(0, logged))).toBe(highest);
  expect([...space.log.when.subarray(0, logged)]).toEqual([...new Set(space.log.when.subarray(0, logged))]);
}

/** All that a space counts, as plain values. */
export function read(space: NaiveSpace | ReturnType<typeof createAddressSpace>): unknown {
  const { mapped, resident, footprint, peakMapped, peakResident, peakFootprint, costs } = space;
  const uses = [Use.heap, Use.meta, Use.table].map((use) => space.mappedFor(use));
  return { mapped, resident, footprint, peakMapped, peakResident, peakFootprint, costs, uses };
}
