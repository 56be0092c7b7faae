import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import type { Ref } from "../allocator.js";
import { type Fit, resolveFit, type SequentialFitOptions } from "./options.js";
import { RankTree } from "./rank-tree.js";
import { SequentialFit } from "./sequential-fit.js";
import { SizeHeaps } from "./size-heaps.js";
import { Tags } from "./tags.js";

function heapWith(fit: Fit, options: Partial<SequentialFitOptions> = {}) {
  const space = createAddressSpace();
  return { space, heap: new SequentialFit(space, fit, resolveFit(fit, options)) };
}

/** Holes of 96, 48, 256 and 64 bytes at 0, 160, 320 and 640, between blocks in use. */
function fourHoles(fit: Fit, options: Partial<SequentialFitOptions> = {}) {
  const { space, heap } = heapWith(fit, { wilderness: "preserved", ...options });
  const overhead = options.header === "both-tags" ? 16 : 8;
  const chunk = (bytes: number): Ref => heap.allocate(bytes - overhead);
  const blocks = [96, 64, 48, 112, 256, 64, 64, 64].map(chunk);
  for (const i of [4, 0, 6, 2]) heap.free(blocks[i]);
  /** Offset of the chunk that is handed out for so many bytes, header included. */
  const place = (bytes: number): number => chunk(bytes) - blocks[0];
  return { space, heap, place };
}

describe("four holes of 96, 48, 256 and 64 bytes, a request of 48", () => {
  it("goes to the lowest, the closest and the largest hole in address order", () => {
    expect(fourHoles("first").place(48)).toBe(0);
    expect(fourHoles("best").place(48)).toBe(160);
    expect(fourHoles("worst").place(48)).toBe(320);
    const { place } = fourHoles("next");
    expect([240, 48, 48, 48, 48].map(place)).toEqual([320, 640, 0, 48, 160]);
  });

  it("is cut from the high end if so told", () => {
    const high = { cut: "high" } as const;
    expect(fourHoles("first", high).place(48)).toBe(48);
    expect(fourHoles("worst", high).place(48)).toBe(320 + 208);
  });

  it("goes to the hole freed last under LIFO, and to that freed first under FIFO", () => {
    // Freed were 256, 96, 64 and 48, in this order.
    expect(fourHoles("first", { order: "lifo" }).place(48)).toBe(160);
    expect(fourHoles("first", { order: "fifo" }).place(48)).toBe(320);
    expect(fourHoles("first", { order: "lifo" }).place(64)).toBe(640);
    // The rest of a low cut goes to the end of a FIFO list; that of a high cut stays where it was.
    const low = fourHoles("first", { order: "fifo" });
    expect([48, 48].map(low.place)).toEqual([320, 0]);
    const high = fourHoles("first", { order: "fifo", cut: "high" });
    expect([48, 48].map(high.place)).toEqual([320 + 208, 320 + 160]);
  });

  it("costs the hops of the walk", () => {
    const hops = (fit: Fit, bytes: number): number => {
      const { space, place } = fourHoles(fit);
      const before = space.costs[Cost.listHops];
      place(bytes);
      return space.costs[Cost.listHops] - before;
    };
    expect([48, 64, 240, 1000].map((bytes) => hops("first", bytes))).toEqual([1, 1, 3, 4]);
    // Best fit stops at the exact fit of 48 and 64 bytes.
    expect([48, 64, 240, 1000].map((bytes) => hops("best", bytes))).toEqual([2, 4, 4, 4]);
    expect([48, 1000].map((bytes) => hops("worst", bytes))).toEqual([4, 4]);
  });
});

describe("coalescing", () => {
  it("waits in quick lists of exact size until a search fails", () => {
    const { space, heap } = heapWith("first", { coalesce: "deferred", wilderness: "preserved" });
    const blocks = [24, 24, 24, 24].map((size) => heap.allocate(size));
    for (const i of [0, 1, 2]) heap.free(blocks[i]);
    expect(space.costs[Cost.coalesces]).toBe(0);
    expect(heap.allocate(24)).toBe(blocks[2]);
    heap.free(blocks[2]);
    expect(heap.allocate(88)).toBe(blocks[0]);
    expect(space.costs[Cost.coalesces]).toBe(2);
  });

  it("happens when the quick lists hold as many blocks as allowed, and at once for blocks too large for them", () => {
    const { space, heap } = heapWith("first", { coalesce: "deferred", quickCount: 2, quickLargest: 64 });
    const blocks = [24, 24, 24, 100, 100, 24].map((size) => heap.allocate(size));
    heap.free(blocks[0]);
    heap.free(blocks[3]);
    heap.free(blocks[4]);
    expect(space.costs[Cost.coalesces]).toBe(1);
    heap.free(blocks[1]);
    expect(space.costs[Cost.coalesces]).toBe(2);
  });

  it("never happens without", () => {
    const { space, heap } = heapWith("first", { coalesce: "none", wilderness: "preserved" });
    const blocks = [24, 24, 24].map((size) => heap.allocate(size));
    for (const block of blocks) heap.free(block);
    expect(heap.allocate(56)).toBeGreaterThan(blocks[2]);
    expect(heap.allocate(24)).toBe(blocks[0]);
    expect(space.costs[Cost.coalesces]).toBe(0);
  });
});

describe("headers", () => {
  it("cost 8 bytes, 16 or nothing", () => {
    const capacities = (options: Partial<SequentialFitOptions>): number[] => {
      const { heap } = heapWith("first", options);
      return [1, 17, 40, 41].map((size) => heap.capacityOf(heap.allocate(size)));
    };
    expect(capacities({})).toEqual([24, 24, 40, 56]);
    expect(capacities({ header: "both-tags" })).toEqual([16, 32, 48, 48]);
    expect(capacities({ header: "none" })).toEqual([16, 32, 48, 48]);
    expect(capacities({ header: "none", granule: 1 })).toEqual([1, 17, 40, 41]);
  });

  it("leave what the program gets at multiples of 16", () => {
    for (const header of ["tag", "both-tags", "none"] as const) {
      for (const fit of ["first", "best", "next", "worst"] as const) {
        const { heap } = heapWith(fit, { header });
        for (let size = 0; size < 100; size++) expect(heap.allocate(size) % 16).toBe(0);
      }
    }
  });
});

describe("options that do not go together", () => {
  it("are refused in one line that says why", () => {
    const refused: [Partial<SequentialFitOptions>, RegExp][] = [
      [{ granule: 8 }, /^best-fit: option granule: "8" needs header=none[^\n]*$/],
      [{ header: "none", granule: 24 }, /^best-fit: option granule: "24" is not a power of two[^\n]*$/],
      [{ minSplit: 16 }, /^best-fit: option minSplit: "16" is smaller than the smallest block, 32 bytes[^\n]*$/],
      [{ quickCount: 9 }, /^best-fit: option quickCount: "9" needs coalesce=deferred[^\n]*$/],
      [{ quickLargest: 64, coalesce: "none" }, /^best-fit: option quickLargest: "64" needs coalesce=deferred[^\n]*$/],
    ];
    for (const [options, message] of refused) {
      expect(() => resolveFit("best-fit", options)).toThrow(InputError);
      expect(() => resolveFit("best-fit", options)).toThrow(message);
    }
    expect(resolveFit("best-fit", { header: "none", granule: 1, minSplit: 3 }).minSplit).toBe(3);
  });
});

describe("the structures behind best fit", () => {
  it("know the least place of each size, whichever goes, however many that went are still in the heaps", () => {
    const step = fc.record({ place: fc.integer({ min: 2, max: 24 }), size: fc.integer({ min: 1, max: 2 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), fc.boolean(), (steps, anchored) => {
        const sizeOf = new Map<number, number>();
        const heaps = new SizeHeaps({ holds: (place, size) => sizeOf.get(place) === size });
        const placesOf = (size: number): number[] => [...sizeOf.keys()].filter((place) => sizeOf.get(place) === size);
        // What lies below a place that stays is not dropped from the top, and has to be sifted out.
        for (const [place, size] of anchored
          ? [
              [0, 1],
              [1, 2],
            ]
          : []) {
          sizeOf.set(place, size);
          heaps.add(size, place);
        }
        for (const { place, size } of steps) {
          const old = sizeOf.get(place);
          if (old === undefined) {
            const first = placesOf(size).length === 0;
            sizeOf.set(place, size);
            expect(heaps.add(size, place)).toBe(first);
          } else {
            sizeOf.delete(place);
            expect(heaps.remove(old, place)).toBe(placesOf(old).length === 0);
          }
          for (const one of new Set(sizeOf.values())) {
            const known = placesOf(one).map((place) => heaps.leastWhere(one, (at) => at >= place));
            expect(known).toEqual(placesOf(one));
            expect(heaps.least(one)).toBe(Math.min(...placesOf(one)));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("know how many places lie below one, while they grow", () => {
    const tree = new RankTree();
    const places = new Set<number>();
    let capacity = 64;
    for (let i = 0, x = 1; i < 3000; i++) {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0;
      if (i % 300 === 299) {
        capacity *= 3;
        tree.grow(capacity);
      }
      const place = (x >>> 8) % capacity;
      if (places.delete(place)) tree.remove(place);
      else {
        places.add(place);
        tree.add(place);
      }
      const probe = (x >>> 4) % capacity;
      if (i % 10 === 0) expect(tree.rank(probe)).toBe([...places].filter((one) => one < probe).length);
    }
  });
});

describe("boundary tags of a byte", () => {
  it("know sizes on both sides of 127 from both ends, and leave nothing behind", () => {
    const sizes = [2, 5, 6, 126, 127, 128, 255, 256, 40_000, 0x12345];
    for (const size of sizes) {
      const tags = new Tags(1 << 17);
      tags.setFree(3, size);
      expect([tags.at(3), tags.sizeAt(3), tags.freeBefore(3 + size)]).toEqual([size, size, size]);
      tags.clearFree(3, size);
      tags.setUsed(3, size);
      expect([tags.at(3), tags.freeBefore(3 + size)]).toEqual([-size, 0]);
      tags.clearUsed(3, size);
      for (let at = 0; at < tags.length; at++) if (tags.at(at) !== 0) expect([size, at]).toBe("nothing there");
    }
  });
});
