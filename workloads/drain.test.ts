import { describe, expect, it } from "vitest";
import { drain } from "./drain.js";
import { OP_MASK, Op, type Trace } from "./trace.js";

/** Live blocks at each mark and at the end, and the events between. */
function coursesOf(given: Partial<typeof drain.defaults>): { at: string; live: number; event: number }[] {
  const trace = drain.generate(3, { ...drain.defaults, ...given }) as Trace;
  const marks: { at: string; live: number; event: number }[] = [];
  let live = 0;
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    if (code === Op.phase) marks.push({ at: trace.labels[trace.slot[i]] ?? "", live, event: i });
    else live += code === Op.allocate ? 1 : -1;
  }
  return [...marks, { at: "end", live, event: trace.length }];
}

describe("drain", () => {
  it("fills to the peak, leaves the share, and replaces what is left as often as told", () => {
    const [fill, down, plateau, end] = coursesOf({ live: 2000, left: 0.05, turnovers: 3 });
    expect(fill).toEqual({ at: "fill", live: 0, event: 0 });
    expect(down).toEqual({ at: "drain", live: 2000, event: 2001 });
    expect(plateau).toEqual({ at: "plateau", live: 100, event: 2001 + 1 + 1900 });
    expect(end).toEqual({ at: "end", live: 100, event: plateau.event + 1 + 600 });
  });

  it("can leave nothing, or everything", () => {
    expect(coursesOf({ live: 50, left: 0 }).at(-1)?.live).toBe(0);
    expect(coursesOf({ live: 50, left: 1, turnovers: 0 }).at(-1)?.live).toBe(50);
  });
});
