import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../memory/address-space.js";
import { HeapError, type HeapFault } from "../memory/errors.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import { type Allocator, type Compacting, type MoveLog, type Ref, unlogged } from "./allocator.js";
import { bump } from "./bump.js";
import { type Checked, check, checked } from "./checked.js";

/** A bump allocator with one thing wrong with it. */
function broken(fault: (inner: Allocator) => Partial<Allocator>): {
  heap: Checked;
  space: AddressSpace;
} {
  const space = createAddressSpace();
  const inner = bump.create(space);
  const whole: Allocator = {
    allocate: (size, alignment) => inner.allocate(size, alignment),
    free: (ref) => inner.free(ref),
    reallocate: (ref, size) => inner.reallocate(ref, size),
    addressOf: (ref) => inner.addressOf(ref),
    capacityOf: (ref) => inner.capacityOf(ref),
    walk: (map) => inner.walk(map),
    ...fault(inner),
  };
  return { heap: check(bump, whole, space), space };
}

const finds = (fault: HeapFault): object => expect.objectContaining({ name: "HeapError", fault });

describe("an allocator that is checked", () => {
  it("is caught when two blocks overlap", () => {
    let first: Ref | undefined;
    const { heap } = broken((inner) => ({
      allocate(size) {
        first ??= inner.allocate(size);
        return first;
      },
    }));
    heap.allocate(64);
    expect(() => heap.allocate(64)).toThrow(finds("overlap"));
    let next = 0;
    const shifted = broken((inner) => ({
      allocate() {
        next = next === 0 ? inner.allocate(4096) : next + 16;
        return next as Ref;
      },
      capacityOf: () => 64,
    }));
    shifted.heap.allocate(16);
    shifted.heap.allocate(32);
    expect(() => shifted.heap.allocate(8)).toThrow(finds("overlap"));
  });

  it("is caught when a block is misaligned or too small", () => {
    const { heap } = broken((inner) => ({ allocate: (size) => (inner.allocate(size + 8) + 4) as Ref }));
    expect(() => heap.allocate(8)).toThrow(finds("misaligned"));
    expect(() => broken(() => ({ capacityOf: () => 15 })).heap.allocate(16)).toThrow(finds("too-small"));
    const plain = broken(() => ({}));
    expect(plain.heap.addressOf(plain.heap.allocate(10, 4096)) % 4096).toBe(0);
  });

  it("is caught when a block moves on its own", () => {
    let shift = 0;
    const { heap } = broken(() => ({ addressOf: (ref) => ref + shift }));
    const ref = heap.allocate(16);
    shift = 4096;
    expect(() => heap.addressOf(ref)).toThrow(finds("moved-outside-compact"));
    expect(() => heap.free(ref)).toThrow(finds("moved-outside-compact"));
  });

  it("is caught when the walk leaves a gap, shows something twice, or forgets a block", () => {
    const cases: [HeapFault, (map: HeapMap) => void][] = [
      ["walk-gap", (map) => map.clear()],
      ["walk-overlap", (map) => map.add(map.start[0], map.bytes[0], Kind.free)],
      ["unmapped", (map) => map.add(0x10000000000, 16, Kind.free)],
      ["walk-mismatch", (map) => map.kind.fill(Kind.free, 0, 1)],
      ["walk-mismatch", (map) => map.kind.fill(Kind.table, map.length - 1, map.length)],
      [
        "walk-mismatch",
        (map) => {
          map.bytes[0] -= 16;
          map.add(map.start[0] + map.bytes[0], 16, Kind.free);
        },
      ],
    ];
    for (const [fault, walk] of cases) {
      const { heap } = broken((inner) => ({
        walk(map) {
          inner.walk(map);
          walk(map);
        },
      }));
      heap.allocate(100);
      expect(() => heap.audit(), fault).toThrow(finds(fault));
    }
  });

  it("is caught when live payload has lost its pages", () => {
    const { heap, space } = broken(() => ({}));
    const ref = heap.allocate(16384);
    heap.audit();
    space.discard(heap.addressOf(ref), 16384);
    expect(() => heap.audit()).toThrow(finds("not-resident"));
  });

  it("is caught when a reallocation gives a place that another block has", () => {
    let taken: Ref | undefined;
    const { heap } = broken(() => ({ reallocate: () => taken as Ref }));
    taken = heap.allocate(64);
    const ref = heap.allocate(64);
    expect(() => heap.reallocate(ref, 32)).toThrow(HeapError);
  });

  it("has contents that survive: a lost move is seen by the bytes", () => {
    let lie = 0;
    const space = createAddressSpace();
    const inner = bump.create(space);
    const spare = inner.allocate(64);
    const mover: Compacting = Object.assign(Object.create(inner) as Allocator, {
      addressOf: (ref: Ref) => ref + lie,
      pin: () => undefined,
      unpin: () => undefined,
      access: () => undefined,
      compactionDue: () => 0,
      compact(_budget: number, log: MoveLog) {
        lie = spare - moved;
        // Says that only half of the block was copied.
        log.move(moved as Ref, moved, spare, 16);
        return 64;
      },
    });
    const heap = check(bump, mover, space) as Checked & Compacting;
    const moved = heap.allocate(64);
    expect(() => heap.compact(1000, unlogged)).toThrow(finds("corrupted-contents"));
  });

  it("has exactly the capabilities of what it wraps", () => {
    const heap = checked(bump).create(createAddressSpace());
    expect("compact" in heap).toBe(false);
    expect("placementOf" in heap).toBe(false);
    expect(() => heap.free(12345 as Ref)).toThrow(HeapError);
  });
});
