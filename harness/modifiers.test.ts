import { describe, expect, it } from "vitest";
import { allocators } from "../allocators/registry.js";
import { InputError } from "../memory/errors.js";
import { allocatorArm, demandArm, modifiedTrace, type WorkloadArm, workloadArm } from "./arm.js";
import { runSession } from "./session.js";

const traceOf = async (selector: string) => {
  const arm = workloadArm(selector);
  return arm.spec.generate(1, arm.options);
};

describe("a modified workload", () => {
  it("is written with its modifiers behind it, defaults left out", () => {
    const arm = workloadArm("churn:live=500,events=5000+aged:occupancy=0.3,run=1+pinned");
    expect(arm.selector).toBe("churn:events=5000,live=500+aged:occupancy=0.3+pinned");
    expect(arm.spec.name).toBe("churn+aged+pinned");
    expect(arm.options).toMatchObject({ live: 500, "aged.occupancy": 0.3, "aged.run": 1, "pinned.share": 0.01 });
    expect(workloadArm(arm.selector)).toMatchObject({ options: arm.options, selector: arm.selector });
    expect(workloadArm("synthetic:live=1e+3").options["live"]).toBe(1000);
  });

  it.each([
    ["churn+agd", 'unknown modifier "agd": did you mean "aged"?'],
    ["churn+aged:ocupancy=1", 'unknown option of aged "ocupancy": did you mean "occupancy"?'],
    ["churn+aged:occupancy=1", 'aged: option occupancy: "1" is not a number from 0.01 to 0.95'],
    ["churn+aged+aged", '"aged+aged": modifier aged is given twice; give it once'],
    ["robson+aged", '"robson+aged": robson is a program that reads addresses: only workloads take modifiers'],
  ])("%s is refused in one line", (selector, message) => {
    expect(() => demandArm(selector)).toThrow(new InputError(message));
  });

  it("is the same as the modified trace", async () => {
    const plain = await traceOf("churn:live=500,events=5000");
    const both = await traceOf("churn:live=500,events=5000+aged+accessed");
    expect(modifiedTrace(plain, 1, "aged+accessed").digest).toBe(both.digest);
  });

  it("runs on every allocator from a littered heap of the occupancy that was asked for", async () => {
    const trace = await traceOf("churn:live=400,events=3000,sizes=fixed+aged:occupancy=0.3,room=2");
    const live = 400 * 64;
    const old = (2 * live) / 0.7;
    for (const name of Object.keys(allocators)) {
      const { spec, options } = allocatorArm(name);
      const { state, snapshots } = await runSession(spec, options, trace, { checked: true, looks: 4 });
      expect([name, state]).toEqual([name, "completed"]);
      const look = snapshots.find(({ label }) => label === "aged");
      // Some 1100 blocks live or die by chance: 0.3 to within 4.5 standard deviations.
      expect(Math.abs((look?.live ?? 0) / old - 0.3)).toBeLessThan(0.07);
    }
  });

  it("costs an allocator that splits exactly no more than the old heap, where all sizes are the same", async () => {
    const arm: WorkloadArm = workloadArm("churn:live=2000,events=20000,sizes=fixed+aged:occupancy=0.6");
    const { spec, options } = allocatorArm("first-fit");
    const trace = await arm.spec.generate(1, arm.options);
    const { peakMapped, snapshots } = await runSession(spec, options, trace);
    const litter = snapshots.find(({ label }) => label === "aged");
    expect(litter).toBeDefined();
    // Holes of whole blocks take the whole workload but for chance: at most a twentieth more than when the litter was laid.
    expect(peakMapped).toBeLessThan(1.05 * ((2000 * 80) / 0.4));
  });
});
