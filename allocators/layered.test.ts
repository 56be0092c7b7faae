import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../memory/address-space.js";
import { costNames } from "../memory/costs.js";
import { InputError } from "../memory/errors.js";
import { parseSelector } from "../memory/options.js";
import { type Allocator, hasArenas, none, type Ref } from "./allocator.js";
import { allocators } from "./registry.js";

function heapOf(selector: string, limit?: number): { heap: Allocator; space: AddressSpace } {
  const { name, options } = parseSelector(selector);
  const space = createAddressSpace(limit);
  return { heap: allocators[name].create(space, options), space };
}

/** Sizes of new blocks; a negative number frees a block. */
const program = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 700 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1000, max: 30_000 }) },
    { weight: 4, arbitrary: fc.integer({ min: -10_000, max: -1 }) },
  ),
  { minLength: 50, maxLength: 400, size: "max" },
);

/** Runs a program on heaps chosen by size, and returns where each block went. */
function run(steps: readonly number[], heapFor: (size: number) => Allocator): number[] {
  const live: { ref: Ref; heap: Allocator }[] = [];
  const places: number[] = [];
  for (const step of steps) {
    if (step > 0) {
      const heap = heapFor(step);
      const ref = heap.allocate(step);
      places.push(heap.addressOf(ref));
      live.push({ ref, heap });
    } else if (live.length > 0) {
      const [{ ref, heap }] = live.splice(-step % live.length, 1);
      heap.free(ref);
    }
  }
  return places;
}

describe("layers account exactly", () => {
  it.each([
    ["layered:inner=buddy,outer=first-fit,threshold=512", "buddy", "first-fit"],
    ["layered:inner=first-fit,outer=buddy/chunk=64K/header=in,threshold=512", "first-fit", "buddy:chunk=64K,header=in"],
    ["pymalloc:outer=buddy", "pymalloc", "buddy"],
    ["pymalloc:outer=bump/growth=4096,variant=cpython-3.9", "pymalloc:variant=cpython-3.9", "bump:growth=4096"],
  ])("%s costs what its two heaps cost apart", (selector, inner, outer) => {
    fc.assert(
      fc.property(program, (steps) => {
        const both = heapOf(selector);
        const small = heapOf(inner);
        const large = heapOf(outer);
        run(steps, () => both.heap);
        run(steps, (size) => (size <= 512 ? small.heap : large.heap));
        const [together, one, other] = [both, small, large].map(({ space }) => [
          space.mapped,
          space.resident,
          space.footprint,
          ...[Use.heap, Use.meta, Use.table].map((use) => space.mappedFor(use)),
          ...space.costs,
        ]);
        expect(together).toEqual(one.map((value, i) => value + other[i]));
      }),
      { numRuns: 40 },
    );
  });

  it("and place as pymalloc does where they are put together to be pymalloc", () => {
    fc.assert(
      fc.property(program, (steps) => {
        const whole = heapOf("pymalloc");
        const parts = heapOf("layered:inner=pymalloc,outer=first-fit,threshold=512");
        // The heap of pymalloc that goes unused here has 32 GiB of addresses set aside in front of the other's.
        const places = [parts, whole].map(({ heap }) => run(steps, () => heap).map((at) => at % (32 * 1073741824)));
        expect(places[0]).toEqual(places[1]);
        expect(costNames.map((_, i) => parts.space.costs[i])).toEqual(costNames.map((_, i) => whole.space.costs[i]));
      }),
      { numRuns: 30 },
    );
  });
});

describe("blocks in layers", () => {
  it("move out when they outgrow the threshold, with their bytes counted, and never come back", () => {
    const { heap, space } = heapOf("layered:inner=pymalloc,outer=first-fit,threshold=512");
    if (!hasArenas(heap)) throw new Error("pymalloc has arenas, so the layers have");
    const ref = heap.allocate(500);
    expect(heap.placementOf(ref)).toEqual({ arena: 0, offset: 48 });
    const grown = heap.reallocate(ref, 600);
    expect([heap.placementOf(grown), space.costs[costNames.indexOf("bytesCopied")]]).toEqual([undefined, 512]);
    expect(heap.placementOf(heap.reallocate(grown, 8))).toBeUndefined();
    expect(heap.allocate(500)).toBe(ref);
    expect(hasArenas(heapOf("layered").heap)).toBe(false);
  });

  it("go to the outer heap when the inner one has no memory, and stay where they are when neither has", () => {
    const limit = 1048576 + 16 * 4096;
    const { heap, space } = heapOf("layered:inner=buddy,outer=first-fit/growth=4096,threshold=1M", limit);
    const first = heap.allocate(100_000);
    const refs: Ref[] = [first];
    for (let ref = heap.allocate(20_000); ref !== none; ref = heap.allocate(20_000)) refs.push(ref);
    const mapped = space.mapped;
    expect(refs.length).toBeGreaterThan(20);
    expect(heap.reallocate(first, 900_000)).toBe(none);
    expect([heap.capacityOf(first) >= 100_000, space.mapped]).toEqual([true, mapped]);
    for (const ref of refs) heap.free(ref);
    expect(heap.allocate(20_000)).not.toBe(none);
  });
});

describe("CPython's domains", () => {
  it("are the pools for obj and mem and the outer heap for raw, which has no arenas", () => {
    const arenas = ["obj", "mem", "raw"].map((domain) => {
      const { heap } = heapOf(`pymalloc:domain=${domain},outer=buddy`);
      return hasArenas(heap) && [1, 100, 512, 513].map((size) => heap.placementOf(heap.allocate(size))?.arena ?? "-");
    });
    expect(arenas).toEqual([
      [0, 0, 0, "-"],
      [0, 0, 0, "-"],
      ["-", "-", "-", "-"],
    ]);
  });
});

describe("heaps that cannot be a layer", () => {
  it.each([
    ["layered:inner=handle-table", /^layered: option inner: handle-table gives handles, .*: use a direct allocator$/],
    ["pymalloc:outer=ideal", /^pymalloc: option outer: ideal is a bound without addresses: use a real allocator$/],
    ["layered:outer=mesh", /option outer: mesh reorganizes at safepoints, of which a layer does not tell it/],
    ["layered:outer=firstfit", /^unknown allocator in option outer of layered "firstfit": did you mean "first-fit"\?$/],
    ["layered:outer=buddy/chunk=70000", /^buddy: option chunk: 70000 is not a power of two/],
    [
      "layered:outer=buddy:chunk=64K",
      /option outer: "buddy:chunk=64K" is not an allocator such as first-fit or buddy\//,
    ],
  ])("%s is refused in one line", (selector, message) => {
    expect(() => heapOf(selector)).toThrow(InputError);
    expect(() => heapOf(selector)).toThrow(message);
  });
});
