/** `fraglab replay --keep-stale` as people use it. */
import { describe, expect, it } from "vitest";
import { expectRefusal, Sandbox } from "./sandbox.properties.js";

const sandbox = new Sandbox("stale");
const fraglab = (...args: string[]) => sandbox.fraglab(args);
const twice = sandbox.file("twice.trace", "a 0 64\na 1 64\nf 0\nf 0\n");
const ltrace = sandbox.file(
  "twice.ltrace",
  "p->malloc(64) = 0x10\np->malloc(64) = 0x60\np->free(0x10) = <void>\np->free(0x10) = <void>\n",
);

describe("fraglab replay --keep-stale", () => {
  it.each([
    ["handle-table", "text", twice],
    ["anchorage", "ltrace", ltrace],
  ])("on %s counts a second free and names the first, from %s", (allocator, _format, file) => {
    const args = ["replay", "--allocator", allocator, "--trace", file, "--keep-stale"];
    const run = fraglab(...args, "--json", "--checked");
    expect(run.stderr).toBe(`fraglab: ${file}: kept uses of freed blocks: 1, first in line 4\n`);
    expect(JSON.parse(run.stdout)).toMatchObject({
      outcome: "completed",
      events: 4,
      metrics: { endLive: 64 },
      costs: { staleHandles: 1 },
      firstStale: { event: 3, entry: 0, generation: 0 },
    });
    expect(fraglab(...args).stdout).toMatch(/\nfirst stale handle: event 3, entry 0, generation 0; it had no effect\n/);
  });

  it("is refused where no handle tells, where there is no file, and with what makes or writes another trace", () => {
    const replay = (allocator: string, ...args: string[]) =>
      fraglab("replay", "--allocator", allocator, "--keep-stale", ...args);
    expectRefusal(replay("first-fit", "--trace", twice), /first-fit: it cannot tell that a block is gone/);
    expectRefusal(replay("oracle", "--trace", twice), /oracle: it cannot tell/);
    expectRefusal(replay("classic-mac", "--trace", twice), /classic-mac: .* set retireOnWrap=true/);
    expectRefusal(replay("handle-table", "--workload", "churn"), /--keep-stale is for trace files/);
    expectRefusal(replay("handle-table", "--trace", twice, "--with", "aged"), /leave out --with/);
    expectRefusal(replay("handle-table", "--trace", twice, "--record", "out.fgt"), /leave out --record/);
  });

  it("is what a second free in the text form needs to be replayed", () => {
    expectRefusal(fraglab("replay", "--allocator", "handle-table", "--trace", twice), /twice.trace:4: free of id 0/);
  });
});
