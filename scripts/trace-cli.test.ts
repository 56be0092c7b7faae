/** The commands of `fraglab trace` that make something of a trace, and modifiers, as people use them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectRefusal, Sandbox } from "./sandbox.properties.js";

const sandbox = new Sandbox("trace-cli");
const { folder } = sandbox;
const file = (name: string, contents: string | Uint8Array): string => sandbox.file(name, contents);
const fraglab = (...args: string[]) => sandbox.fraglab(args);

const tiny = file("tiny.trace", "a 0 24\na 1 100\nr 0 600\nf 1\na 1 8\nf 0\nf 1\n");

describe("fraglab trace", () => {
  it("draws what a trace asks for", () => {
    for (const ending of ["svg", "png", "pdf", "json"]) {
      const out = join(folder, `tiny.${ending}`);
      const run = fraglab("trace", "info", tiny, "--draw", out, "--theme", "acm");
      expect([ending, run.status]).toEqual([ending, 0]);
      expect(run.stdout).toContain("peak live");
      expect(readFileSync(out).length).toBeGreaterThan(1000);
    }
    expect(readFileSync(join(folder, "tiny.svg"), "utf8")).toContain("What tiny asks for");
    expectRefusal(fraglab("trace", "info", tiny, "--draw", join(folder, "tiny.gif")), /\.svg, \.png, \.pdf or \.json/);
    expectRefusal(fraglab("trace", "info", tiny, "--draw", "x.svg", "--theme", "amc"), /did you mean "acm"/);
  });

  it("refuses a pipe, a socket or a device, without waiting for one that nobody writes", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // Standard input of a child is a socket.
    for (const path of [pipe, "/dev/stdin", "/dev/null"]) {
      expectRefusal(fraglab("trace", "info", path), `${path}: is no regular file: expected a file, not a pipe`);
      expectRefusal(fraglab("bench", "--stream", path), `${path}: is no regular file`);
    }
  });

  it("cuts, merges, blurs and clones traces", () => {
    const out = join(folder, "part.trace");
    expect(fraglab("trace", "cut", tiny, out, "--from", "2", "--to", "50%").status).toBe(0);
    expect(readFileSync(out, "utf8")).toContain("inherited");
    expectRefusal(fraglab("trace", "cut", tiny, out, "--from", "half"), /--from half: expected an event/);
    expectRefusal(fraglab("trace", "cut", tiny, out, "--from", "6", "--to", "2"), /events 6 to 2/);
    const threads = file("threads.trace", "t 1\na 0 24\nt 2\nf 0\n");
    expect(fraglab("trace", "merge-threads", threads, out).status).toBe(0);
    expect(readFileSync(out, "utf8")).not.toMatch(/^t /m);
    const sites = file("sites.trace", "n 1 main;secret\na 0 1001 @1\nf 0\n");
    expect(fraglab("trace", "anonymise", sites, out, "--sizes").status).toBe(0);
    expect(readFileSync(out, "utf8")).toMatch(/frame 1;frame 2/);
    expect(readFileSync(out, "utf8")).toMatch(/^a 0 1024/m);
    expect(fraglab("trace", "anonymise", sites, out, "--no-sites").status).toBe(0);
    expect(readFileSync(out, "utf8")).not.toMatch(/frame|secret/);
    const clone = fraglab(
      "trace",
      "clone",
      tiny,
      out,
      "--phases",
      "2",
      "--allocators",
      "bump,best-fit:split=exact",
      "--json",
    );
    expectRefusal(clone, /best-fit/);
    const answer = JSON.parse(fraglab("trace", "clone", tiny, out, "--allocators", "bump,first-fit", "--json").stdout);
    expect(answer).toMatchObject({ original: { events: 7 }, clone: { events: 7 }, goodness: { sizesByBlocks: 0 } });
    expect(answer.allocators.map((row: { allocator: string }) => row.allocator)).toEqual(["bump", "first-fit"]);
    expect(fraglab("trace", "clone", tiny).stdout).toContain("pymalloc");
  });

  it("modifies workloads and trace files", () => {
    const args = ["--allocator", "first-fit", "--json", "--metrics", "peakFootprint"];
    const aged = fraglab("replay", ...args, "--trace", tiny, "--with", "aged:occupancy=0.3");
    expect(JSON.parse(aged.stdout)).toMatchObject({ outcome: "completed", workload: "tiny+aged:occupancy=0.3" });
    expect(JSON.parse(aged.stdout).events).toBeGreaterThan(9);
    const pinned = fraglab("replay", ...args, "--workload", "scenario+pinned:share=1");
    expect(JSON.parse(pinned.stdout).workload).toBe("scenario+pinned:share=1");
    expectRefusal(fraglab("replay", ...args, "--trace", tiny, "--with", "agd"), /did you mean "aged"/);
    expectRefusal(fraglab("replay", ...args, "--workload", "churn", "--with", "aged"), /--workload churn\+aged/);
  });
});
