import { describe, expect, it } from "vitest";
import { allocators } from "../allocators/registry.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import { allocatorArm } from "./arm.js";
import { fittedOptions, sizeDemand } from "./fit.js";
import { placements } from "./place.js";
import { runSession } from "./session.js";

/** A block of 10 bytes for 3 events, then of 300 for 2; one of 10 to the end, which is 7 events on. */
function trace() {
  const builder = new TraceBuilder("demand");
  const first = builder.allocate(10);
  builder.allocate(10);
  builder.phase("a mark takes its time");
  builder.reallocate(first, 300);
  builder.phase("another");
  builder.free(first);
  builder.allocate(20);
  builder.phase("a third");
  return builder.build();
}

describe("the demand of a trace", () => {
  it("is the events that blocks of each size lived", () => {
    const { size, weight } = sizeDemand(trace());
    expect([...size].map((bytes, i) => [bytes, weight[i]])).toEqual([
      [10, 3 + 7],
      [20, 2],
      [300, 2],
    ]);
  });

  it("fits an allocator that asks for it, in a session as in a list of placements", async () => {
    const arm = allocatorArm("pymalloc:spacing=fitted,classes=3");
    expect(fittedOptions(arm.spec, arm.options, trace())).toMatchObject({ spacing: "listed", sizes: "32+304+512" });
    const places = [...placements(arm, trace())].map(({ offset }) => offset);
    expect(places).toEqual([48, 48 + 32, 16384 + 48, 48]);
    const { state, snapshots } = await runSession(arm.spec, arm.options, trace(), { checked: true });
    expect(state).toBe("completed");
    expect(snapshots.at(-1)?.kinds.padding).toBe(32 - 10 + 32 - 20);
  });

  it("leaves the options of all others as they are", () => {
    const { options } = allocatorArm("first-fit");
    expect(fittedOptions(allocators["first-fit"], options, trace())).toBe(options);
  });
});
