/** What allocators make of the Redis workload, against the published and measured figures, at 1/16 of the size. */
import { describe, expect, it } from "vitest";
import { resolveOptions } from "../memory/options.js";
import { allocatorArm, workloadArm } from "./arm.js";
import type { Snapshot } from "./metrics/snapshot.js";
import { runSession } from "./session.js";

const SCALE = 16;

interface Course {
  /** Looks at the ends of the phases A to D. */
  readonly ends: readonly Snapshot[];
  readonly looks: readonly Snapshot[];
  /** Keys inserted by the second populate. */
  readonly inserted: number;
  readonly peakFootprint: number;
}

async function courseOf(allocator: string, variant: string): Promise<Course> {
  const workload = workloadArm(`redis:variant=${variant},scale=${SCALE}`);
  const arm = allocatorArm(allocator);
  const trace = await workload.spec.generate(1, resolveOptions("redis", workload.spec.options, workload.options));
  const { snapshots, fragmentation } = await runSession(arm.spec, arm.options, trace, { looks: 16 });
  const at = (label: string): Snapshot => snapshots.find((look) => look.label === label) as Snapshot;
  const ends = ["B evict", "C insert", "D evict", "idle"].map(at);
  // Every key has four blocks.
  const inserted = (ends[2].liveBlocks - ends[1].liveBlocks) / 4;
  return { ends, looks: snapshots, inserted, peakFootprint: fragmentation.peakFootprint };
}

/** Bytes at full size, in MB of 10^6, within a relative tolerance. */
function expectMegabytes(bytes: number, full: number, tolerance: number): void {
  expect(Math.abs((bytes * SCALE) / (full * 1e6) - 1)).toBeLessThan(tolerance);
}

describe("Redis on allocators that move nothing", () => {
  it("keeps Mesh without meshing at the closed form of its classes, and at 89,000 x 512 bytes more after the refill", async () => {
    const { ends, inserted } = await courseOf("mesh:meshing=false", "mesh402");
    const [a, b, c, d] = ends;
    // 352 bytes for a key: 256 + 32 + 32 + 32; the hash table is 8.39 MB.
    expectMegabytes(a.resident, 254.8, 0.01);
    expect(b.resident).toBe(a.resident);
    expect(Math.abs((c.resident - b.resident) / (inserted * 512) - 1)).toBeLessThan(0.03);
    expect(d.resident).toBeGreaterThanOrEqual(0.98 * c.resident);
  });

  it("keeps first fit flat: values of twice the size go into holes that have coalesced", async () => {
    const { ends } = await courseOf("first-fit", "mesh402");
    const [a, b, c, d] = ends;
    expect(c.resident / a.resident).toBeLessThan(1.02);
    expect(Math.min(b.resident, d.resident) / a.resident).toBeGreaterThan(0.98);
  });
});

describe("Redis after the first populate", () => {
  // Bytes of the four blocks of a key, entries of a table included, beside a hash table of 8 MiB.
  it.each([
    ["glibc", "alaska72", 256 + 32 + 32 + 32],
    ["glibc", "mesh402", 272 + 32 + 32 + 48],
    ["mimalloc", "alaska72", 256 + 16 + 16 + 32],
    ["mimalloc", "mesh402", 256 + 32 + 32 + 32],
    ["handle-table:compact=none", "alaska72", 272 + 32 + 32 + 48 + 4 * 8],
    ["handle-table:compact=none", "mesh402", 288 + 48 + 32 + 48 + 4 * 8],
  ])(
    "%s holds on %s what the closed form says, %d bytes a key, within 1 percent",
    async (allocator, variant, perKey) => {
      const { ends } = await courseOf(allocator, variant);
      expectMegabytes(ends[0].footprint, (700_000 * perKey + 8 * 1048576) / 1e6, 0.01);
    },
  );

  it.each([
    // Slabs and extents are mapped in growing steps, and pages and descriptors count too.
    ["alaska72", 320, 240.0],
    ["mesh402", 352, 263.1],
  ])("jemalloc holds on %s some 3 percent more than %d bytes a key, as measured", async (variant, perKey, measured) => {
    const { ends } = await courseOf("jemalloc", variant);
    expectMegabytes(ends[0].footprint, measured, 0.01);
    expectMegabytes(ends[0].footprint, (1.033 * (700_000 * perKey + 8 * 1048576)) / 1e6, 0.01);
  });
});

describe("Redis on allocators that reorganize", () => {
  it("Mesh: gives back as many pages as it meshes and as come free, and ends well below its peak", async () => {
    // Virtual time is as short as the trace: the published period of 100 ms at full size is 6.25 ms here.
    const { ends, looks, peakFootprint } = await courseOf("mesh:period=6.25,maxPairs=156", "mesh402");
    const [a, b, , d] = ends;
    expectMegabytes(a.resident, 254.8, 0.01);
    expect(b.resident).toBeLessThan(0.95 * a.resident);
    expect(d.footprint).toBeLessThan(0.86 * peakFootprint);
    for (const look of looks) {
      const kinds = Object.values(look.kinds);
      expect(kinds.reduce((sum, bytes) => sum + bytes, 0)).toBe(look.footprint);
      expect(Math.min(...kinds)).toBeGreaterThanOrEqual(0);
      expect(look.kinds.live).toBe(look.live);
    }
  });

  it.each([
    // Slide compaction without the handle table of 22.4 MB: 145.2 and 146.8 MB with it.
    ["alaska72", 277.2, 122.8],
    ["mesh402", 299.6, 124.4],
  ])("the oracle with 16-byte headers ends where a full slide ends on %s, table apart", async (variant, peak, end) => {
    const { ends, peakFootprint } = await courseOf("oracle:header=16,minBlock=32", variant);
    expectMegabytes(peakFootprint, peak, 0.005);
    expectMegabytes(ends[3].footprint, end, 0.005);
  });

  // Published times are for the whole size; virtual time is as short as the trace. The first look comes after the last
  // eviction, as in the published run, whose first step is at 2.02 s.
  const scaled = "poll=31.25,firstPoll=125,minSleep=0.625,fUpper=1.1";

  it("Anchorage packs alaska72 in 8 passes, give or take one, of a tenth of the live bytes each", async () => {
    const workload = workloadArm(`redis:variant=alaska72,scale=${SCALE}`);
    const arm = allocatorArm(`anchorage:${scaled}`);
    const trace = await workload.spec.generate(1, resolveOptions("redis", workload.spec.options, workload.options));
    const { costs, fragmentation } = await runSession(arm.spec, arm.options, trace, { looks: 1, idle: 625 });
    expect(Math.abs(costs.passes - 8)).toBeLessThanOrEqual(1);
    expectMegabytes(fragmentation.endFootprint, 145.2, 0.01);
    expectMegabytes(costs.bytesMoved, 122.8, 0.01);
  });

  it.each([
    ["alaska72", "slide", 145.2, 114.4],
    ["alaska72", "twoFinger", 145.2, 65.9],
    ["mesh402", "slide", 146.8, 116.0],
    ["mesh402", "twoFinger", 147.4, 51.9],
  ])(
    "one pass over the handle table's heap on %s by %s ends where the reference ends",
    async (variant, compact, end, moved) => {
      const workload = workloadArm(`redis:variant=${variant},scale=${SCALE}`);
      const arm = allocatorArm(`handle-table:compact=${compact},firstPoll=140,alpha=1`);
      const trace = await workload.spec.generate(1, resolveOptions("redis", workload.spec.options, workload.options));
      const { costs, fragmentation } = await runSession(arm.spec, arm.options, trace, { looks: 1, idle: 100 });
      expect(costs.passes).toBe(1);
      expectMegabytes(fragmentation.endFootprint, end, 0.01);
      expectMegabytes(costs.bytesMoved, moved, 0.01);
    },
  );

  it("a table over jemalloc ends lower with movement than without, both with the blocks where jemalloc puts them", async () => {
    const workload = workloadArm(`redis:variant=alaska72,scale=${SCALE}`);
    const trace = await workload.spec.generate(1, resolveOptions("redis", workload.spec.options, workload.options));
    const [still, moving] = await Promise.all(
      ["none", "evacuate"].map(async (compact) => {
        const arm = allocatorArm(`handle-table:inner=jemalloc,compact=${compact},alpha=1,firstPoll=108,poll=200`);
        return (await runSession(arm.spec, arm.options, trace, { looks: 1, idle: 700 })).fragmentation;
      }),
    );
    expect(moving.peakLive).toBe(still.peakLive);
    expect(moving.endFootprint).toBeLessThan(0.65 * still.endFootprint);
  });
});
