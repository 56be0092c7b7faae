import { describe, expect, it } from "vitest";
import { plan } from "../harness/plan.js";
import { redisFigures } from "../harness/published-redis.js";
import compactionPolicies, { pareto } from "./compaction-policies.js";
import costOfIndirection from "./cost-of-indirection.js";
import handleTableAgeing from "./handle-table-ageing.js";
import pins, { reclaimable, reclaimableSpaced } from "./pins.js";
import redis from "./redis-defragmentation.js";

describe("the Pareto front", () => {
  const x = ([a]: readonly number[]): number => a;
  const y = ([, b]: readonly number[]): number => b;

  it("keeps what nothing beats, ties included", () => {
    const points = [
      [1, 9],
      [2, 5],
      [2, 5],
      [2, 6],
      [3, 5],
      [4, 1],
      [9, 2],
    ];
    expect(pareto(points, x, y)).toEqual([
      [1, 9],
      [2, 5],
      [2, 5],
      [4, 1],
    ]);
  });

  it("of nothing is nothing", () => {
    expect(pareto([], x, y)).toEqual([]);
  });
});

describe("pages without a pin", () => {
  it("are (1 - pi/2)^64 of all, against the half that is too many", () => {
    expect(reclaimable(0)).toBe(1);
    expect(reclaimable(0.01)).toBe(1);
    let pages = 1;
    for (let block = 0; block < 64; block++) pages *= 1 - 0.05;
    expect(reclaimable(0.1)).toBeCloseTo(pages / 0.5, 12);
  });

  it("are those between pins at equal distances, and none where each page has one", () => {
    // In n blocks one in `spacing` is pinned; of the others half survive.
    const share = (spacing: number): number => 1 / spacing / (1 / spacing + 0.5 * (1 - 1 / spacing));
    expect(reclaimableSpaced(share(1024))).toBe(1);
    expect(reclaimableSpaced(share(96))).toBeCloseTo((1 - 64 / 96) / 0.5, 12);
    expect(reclaimableSpaced(share(64))).toBeCloseTo(0, 12);
    expect(reclaimableSpaced(0.5)).toBe(0);
  });
});

describe("the Redis experiment", () => {
  it("runs every allocator and variant that a figure is known of, in both profiles", () => {
    for (const profile of ["quick", "paper"] as const) {
      const cells = plan(redis, profile);
      for (const { allocator, variant } of redisFigures) {
        const found = cells.filter(
          (cell) => cell.allocator.label === allocator && cell.workload.label.startsWith(`${variant}:`),
        );
        expect(found, `${allocator} on ${variant}`).toHaveLength(1);
      }
    }
  });

  it("shrinks the times of controllers with the workload", () => {
    const poll = (profile: "quick" | "paper"): unknown =>
      plan(redis, profile).find(({ allocator }) => allocator.label === "Anchorage")?.allocator.options["poll"];
    expect([poll("paper"), poll("quick")]).toEqual([500, 500 / 16]);
  });
});

describe("the cost of indirection", () => {
  it("is taken with the same allocator under the handles, moving or not, as without them", () => {
    for (const profile of ["quick", "paper"] as const) {
      const arms = new Map(plan(costOfIndirection, profile).map(({ allocator }) => [allocator.label, allocator]));
      expect(arms.size).toBe(9);
      for (const inner of ["first fit", "pymalloc", "jemalloc"]) {
        const alone = arms.get(inner)?.selector;
        for (const [label, compact] of [
          [`${inner}, handles`, "none"],
          [`${inner}, handles, moves`, "evacuate"],
        ]) {
          expect(arms.get(label)?.options).toMatchObject({ inner: alone, compact });
        }
      }
    }
  });
});

describe("every compaction experiment", () => {
  it.each([redis, compactionPolicies, costOfIndirection, handleTableAgeing, pins])(
    "$name plans no cell twice",
    (experiment) => {
      for (const profile of ["quick", "paper"] as const) {
        const keys = plan(experiment, profile).map(
          ({ allocator, workload, seed }) => `${allocator.selector} ${workload.selector} ${seed}`,
        );
        expect(new Set(keys).size).toBe(keys.length);
      }
    },
  );
});
