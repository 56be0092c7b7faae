import { describe, expect, it } from "vitest";
import { allocators } from "../allocators/registry.js";
import { costNames } from "../memory/costs.js";
import { resolveOptions } from "../memory/options.js";
import { type AnyProgramSpec, programs, workloads } from "../workloads/registry.js";
import { Op } from "../workloads/trace.js";
import { allocatorArm, demandArm, type ProgramArm, programArm, workloadArm } from "./arm.js";
import { drive, traceFor } from "./drive.js";
import { placements } from "./place.js";
import { runSession } from "./session.js";

/** Every program under its defaults and each of its variants, made small. */
const small: Readonly<Record<string, object>> = {
  "pool-pinning": { live: 1 << 17 },
  robson: { live: 512 },
};
const arms = Object.values(programs).flatMap((spec: AnyProgramSpec) =>
  [{}, ...spec.variants].map((variant: object): readonly [string, ProgramArm] => {
    const options = resolveOptions<Record<string, never>>(spec.name, spec.options, { ...variant, ...small[spec.name] });
    return [`${spec.name} ${JSON.stringify(variant)}`, { label: spec.name, spec, options, selector: spec.name }];
  }),
);
const specs = Object.values(allocators).filter((spec) => !spec.placeless);

describe.each(arms)("%s", (_label, program) => {
  it("leaves a trace that takes the same course on the allocator that it was made on", async () => {
    for (const spec of specs) {
      const made = drive(program, 1, { spec, options: spec.defaults });
      const again = await runSession(spec, spec.defaults, made.trace, { looks: 1 });
      expect(again.state, spec.name).toBe(made.state);
      expect(again.fragmentation.peakFootprint, spec.name).toBe(made.space.peakFootprint);
      expect(again.fragmentation.peakLive, spec.name).toBe(made.peakLive);
      // A program may look at addresses as often as it likes: only these loads are not in its trace.
      for (const name of costNames.filter((cost) => cost !== "tableLoads")) {
        expect(again.costs[name], `${spec.name} ${name}`).toBe(made.space.costs[costNames.indexOf(name)]);
      }
    }
  });

  it("does the same twice, and another seed matters only where it says so", () => {
    const arm = allocatorArm("first-fit");
    const digests = [1, 1, 2].map((seed) => drive(program, seed, arm).trace.digest);
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2] !== digests[0]).toBe(program.spec.seeded);
  });
});

describe("driving", () => {
  const pinning = programArm("pool-pinning:live=128K");

  it("measures the extent of all blocks, as the placements of the recorded trace have it", () => {
    const arm = allocatorArm("first-fit");
    const { trace, extent } = drive(pinning, 1, arm);
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (const { event, address } of placements(arm, trace)) {
      low = Math.min(low, address);
      high = Math.max(high, address + trace.size[event]);
    }
    expect(extent).toBe(high - low);
  });

  it("ends with the request that finds no memory, which the trace ends with too", async () => {
    const arm = allocatorArm("first-fit");
    const { trace, state } = drive(programArm("pool-pinning:live=512K"), 1, arm, 256 << 10);
    expect(state).toBe("exhausted");
    expect(trace.op[trace.length - 1]).toBe(Op.allocate);
    const again = await runSession(arm.spec, arm.options, trace, { limit: 256 << 10, looks: 1 });
    expect([again.state, again.events]).toEqual(["exhausted", trace.length - 1]);
  });

  it("gives a workload's own trace whatever the allocator is, and a program's for each", async () => {
    const traces = (selector: string) =>
      Promise.all(["first-fit", "pymalloc"].map((name) => traceFor(demandArm(selector), 1, allocatorArm(name))));
    const [a, b] = await traces("churn:events=1000,live=100");
    expect(a.digest).toBe(b.digest);
    const [c, d] = await traces("pool-pinning:live=128K");
    expect(c.digest).not.toBe(d.digest);
  });
});

describe("the registry of programs", () => {
  it("has no name that a workload has, and options with defaults", () => {
    for (const [name, spec] of Object.entries(programs)) {
      expect(spec.name).toBe(name);
      expect(Object.keys(workloads)).not.toContain(name);
      expect(spec.defaults).toEqual(resolveOptions(name, spec.options));
      for (const text of [spec.title, spec.source]) expect(text).toMatch(/\S/);
    }
  });

  it("is apart from the workloads, which need no allocator", () => {
    expect(() => workloadArm("pool-pinning")).toThrow(/unknown workload/);
    expect(() => demandArm("pool-pining")).toThrow(/did you mean "pool-pinning"/);
  });
});
