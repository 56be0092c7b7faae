import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { randomFor } from "../../memory/random.js";
import { type Ref, unlogged } from "../allocator.js";
import { CompactingHandles } from "./compacting-handles.js";
import { Controller, type ControllerOptions, passTime } from "./controller.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";

const published: ControllerOptions = {
  trigger: "hysteresis",
  passTime: "raw",
  fUpper: 1.4,
  fLower: 1.05,
  poll: 500,
  firstPoll: 1000,
  minSleep: 10,
  overhead: 0.05,
  alpha: 0.1,
  passBytes: 1 << 30,
};

/** What the controller wants at `now`: bytes to move, or "asleep". */
function ask(controller: Controller, now: number, f: number, live = 1000): number | "asleep" {
  return controller.isAwake(now) ? controller.due(f, live) : "asleep";
}

describe("the controller", () => {
  it("looks first after firstPoll, then at every poll, and waits while F is not above fUpper", () => {
    const controller = new Controller(published);
    expect(ask(controller, 999, 9)).toBe("asleep");
    expect(ask(controller, 1000, 1.4)).toBe(0);
    expect(ask(controller, 1499, 9)).toBe("asleep");
    expect(ask(controller, 1500, 1.41)).toBe(100);
  });

  it("keeps the budget that it fixed when it began, and sleeps between passes in proportion to their time", () => {
    const controller = new Controller(published);
    expect(ask(controller, 1000, 2, 1000)).toBe(100);
    controller.passed(100, 120, 4, 1.9);
    expect(ask(controller, 1083, 1.9)).toBe("asleep");
    expect(ask(controller, 1084, 1.9, 5000)).toBe(100);
    controller.passed(100, 100, 0.001, 1.8);
    expect(ask(controller, 1094, 1.8)).toBe("asleep");
    expect(ask(controller, 1095, 1.8)).toBe(100);
  });

  it("goes on below fUpper until F is below fLower", () => {
    const controller = new Controller(published);
    ask(controller, 1000, 2);
    controller.passed(100, 100, 1, 1.2);
    expect(ask(controller, 1021, 1.2)).toBe(100);
    controller.passed(100, 100, 1, 1.04);
    expect(ask(controller, 1521, 1.04)).toBe("asleep");
    expect(ask(controller, 1522, 1.3)).toBe(0);
  });

  it("gives up when a pass moves nothing or less than its budget, but not because F did not fall", () => {
    for (const moved of [0, 99]) {
      const controller = new Controller(published);
      ask(controller, 1000, 2);
      controller.passed(100, 100, 1, 2);
      expect(ask(controller, 1021, 2)).toBe(100);
      controller.passed(100, moved, 1, 2);
      expect(ask(controller, 1500, 2)).toBe("asleep");
      expect(ask(controller, 1522, 2)).toBe(100);
    }
  });

  it("is not confused by a pass that somebody else ran", () => {
    const controller = new Controller(published);
    controller.passed(100, 0, 50, 1);
    expect(ask(controller, 1000, 2)).toBe(100);
  });

  it("bounds a pass by bytes as well as by the share of the heap", () => {
    const controller = new Controller({ ...published, passBytes: 64 });
    expect(ask(controller, 1000, 2, 1e9)).toBe(64);
  });

  it("wants a pass even where nothing is live", () => {
    expect(ask(new Controller(published), 1000, Number.POSITIVE_INFINITY, 0)).toBe(1);
  });

  it("charges a pass for visits, moves, bytes and pages", () => {
    expect(passTime(1000, 0, 0, 0)).toBeCloseTo(0.003, 12);
    // 1,000 live objects of 1,024 bytes among as many dead ones: 91 ns each in the measurement.
    expect(passTime(2000, 1000, 1_024_000, 0)).toBeCloseTo(0.0929, 4);
    expect(passTime(0, 0, 0, 10)).toBeCloseTo(0.0029, 12);
  });
});

/** Asks the allocator's own controller and does what it says. */
function serve(heap: CompactingHandles, now: number): void {
  const budget = heap.compactionDue(now);
  if (budget > 0) heap.compact(budget, unlogged);
}

function create(options: Partial<HandleTableOptions>): { heap: CompactingHandles; space: AddressSpace } {
  const space = createAddressSpace();
  const heap = handleTable.create(space, options);
  if (!(heap instanceof CompactingHandles)) throw new Error("these options give no compaction");
  return { heap, space };
}

/** Half a million events at 4e6 a second, with a safepoint every 256. Returns passes and bytes moved for each allocated. */
function churn(options: Partial<HandleTableOptions>): { fragmentation: number; passes: number; ratio: number } {
  const { heap, space } = create(options);
  const random = randomFor("churn", 1);
  const live: Ref[] = [];
  let allocated = 0;
  for (let i = 0; i < 500_000; i++) {
    if (random.below(4000) >= live.length) {
      const ref = heap.allocate(random.between(16, 115));
      allocated += heap.capacityOf(ref) + 16;
      live.push(ref);
    } else {
      const index = random.below(live.length);
      heap.free(live[index]);
      live[index] = live[live.length - 1];
      live.pop();
    }
    if (i % 256 === 0) serve(heap, i / 4000);
  }
  const { blocks, liveUnits } = heap.handles.heap;
  const { costs } = space;
  return {
    fragmentation: blocks.top / liveUnits,
    passes: costs[Cost.passes],
    ratio: costs[Cost.bytesMoved] / allocated,
  };
}

describe("an allocator that follows its controller", () => {
  it("keeps a churning bump heap within bounds, by few bytes moved", () => {
    const { fragmentation, passes, ratio } = churn({ place: "bump", minSleep: 0.1, poll: 0.5, firstPoll: 1, alpha: 1 });
    expect(passes).toBeGreaterThan(10);
    expect(fragmentation).toBeLessThan(3);
    expect(ratio).toBeLessThan(2.5);
  });

  it("does nothing when F stays below fUpper", () => {
    expect(churn({ fUpper: 1e6 }).passes).toBe(0);
  });

  it("falls back to waiting when all is pinned, at one empty pass for each poll", () => {
    const { heap, space } = create({ poll: 10, firstPoll: 10, minSleep: 0.1 });
    const refs = Array.from({ length: 100 }, () => heap.allocate(48));
    refs.forEach((ref, i) => {
      if (i % 4 === 3) heap.pin(ref);
      else heap.free(ref);
    });
    for (let now = 0; now <= 100; now += 0.05) serve(heap, now);
    expect(space.costs[Cost.passes]).toBeGreaterThanOrEqual(9);
    expect(space.costs[Cost.passes]).toBeLessThanOrEqual(10);
    expect(space.costs[Cost.bytesMoved]).toBe(0);
  });

  it("bounds the share of the time that passes take, with fUpper just above the resting F", () => {
    const { passes, ratio } = churn({
      fUpper: 1.06,
      fLower: 1.05,
      minSleep: 0,
      poll: 0.1,
      firstPoll: 0,
      overhead: 0.01,
    });
    expect(passes).toBeGreaterThan(5);
    expect(ratio).toBeLessThan(0.5);
  });

  it("watches residence instead of extent when told to", () => {
    const space = createAddressSpace();
    const watch = (metric: string): number => {
      const heap = handleTable.create(space, { metric, fUpper: 1.5, firstPoll: 0 });
      if (!(heap instanceof CompactingHandles)) throw new Error("these options give no compaction");
      heap.allocate(100);
      return heap.compactionDue(0);
    };
    // One object of 100 bytes: extent 1.0, but a page of heap and a page of table for 100 bytes.
    expect(watch("F_ext")).toBe(0);
    expect(watch("F_res")).toBeGreaterThan(0);
  });
});
