/** The command line as people use it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { expectRefusal, Sandbox } from "./sandbox.properties.js";

const sandbox = new Sandbox("cli");
const { folder } = sandbox;
const file = (name: string, contents: string | Uint8Array): string => sandbox.file(name, contents);
const fraglab = (...args: string[]) => sandbox.fraglab(args);

const tiny = file("tiny.trace", "a 0 24\na 1 100\nr 0 600\nf 1\na 1 8\nf 0\nf 1\n");

describe("fraglab", () => {
  it("explains itself with examples", () => {
    const help = fraglab("--help");
    expect(help.status).toBe(0);
    for (const command of ["list", "run", "replay", "place", "trace", "record", "draw", "verify", "bench", "new"]) {
      expect(help.stdout).toContain(command);
      const own = fraglab(command, "--help");
      expect(own.status).toBe(0);
      expect(own.stdout).toContain("$ fraglab");
    }
  });

  it("times a trace file, each allocator against the first round by round", () => {
    const { status, stdout } = fraglab("bench", "first-fit", "bump", "--trace", tiny, "--rounds", "1", "--json");
    expect(status).toBe(0);
    const timed = JSON.parse(stdout) as { allocator: string; kind: string; ratio: object }[];
    expect(timed.map((row) => [row.allocator, row.kind])).toEqual([
      ["first-fit", "plain"],
      ["bump", "plain"],
      ["first-fit", "session"],
      ["bump", "session"],
    ]);
    for (const row of timed.filter(({ allocator }) => allocator === "first-fit"))
      expect(row.ratio).toMatchObject({ median: 1, min: 1, max: 1 });
    const missing = fraglab("bench", "--trace", join(folder, "none.trace"));
    expect([missing.status, missing.stdout]).toEqual([2, ""]);
    expect(missing.stderr).toMatch(/^fraglab: .*none\.trace: no such file: check the path\n$/);
  });

  it("verifies a target, as a table with its sources and as JSON", () => {
    const text = fraglab("verify", "metrics");
    expect(text.status).toBe(0);
    expect(text.stdout).toMatch(/target +expected +got +tolerance/);
    expect(text.stdout).toMatch(/^\[1\] Johnstone & Wilson 1998/m);
    const json = fraglab("verify", "metrics", "--json");
    const checks = JSON.parse(json.stdout) as Record<string, unknown>[];
    expect(Object.keys(checks[0])).toEqual(["target", "expected", "got", "tolerance", "pass", "source"]);
    expect(checks.every(({ pass }) => pass)).toBe(true);
    const idle = fraglab("verify", "metrics", "--python", "python3");
    expect([idle.status, idle.stdout]).toEqual([2, ""]);
    expect(idle.stderr).toContain("--python: none of the targets asked for drives a Python");
    const unknown = fraglab("verify", "metric");
    expect([unknown.status, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(/did you mean "metrics"/);
  });

  it("records the trace that a program made on an allocator", () => {
    const file = join(folder, "pinned.trace");
    const made = fraglab(
      "replay",
      "--allocator",
      "first-fit",
      "--workload",
      "robson:live=64,largest=8",
      "--record",
      file,
      "--json",
    );
    const again = fraglab("replay", "--allocator", "first-fit", "--trace", file, "--json");
    const [a, b] = [made, again].map(({ stdout }) => JSON.parse(stdout) as { metrics: object; trace: string });
    expect(b.trace).toBe(a.trace);
    expect(b.metrics).toEqual(a.metrics);
  });

  it("lists every registry, also as JSON", () => {
    const all = JSON.parse(fraglab("list", "--json").stdout) as Record<string, { name: string }[]>;
    expect(Object.keys(all)).toEqual([
      "allocators",
      "workloads",
      "programs",
      "modifiers",
      "recorded",
      "experiments",
      "metrics",
      "costs",
      "targets",
      "themes",
    ]);
    for (const entries of Object.values(all)) expect(entries.length).toBeGreaterThan(0);
    const allocators = JSON.parse(fraglab("list", "allocators", "--json").stdout) as { name: string }[];
    expect(allocators.map(({ name }) => name)).toContain("pymalloc");
    const text = fraglab("list", "allocators").stdout;
    for (const { name } of allocators) expect(text).toContain(name);
  });

  it("replays a trace and prints all metrics as JSON", () => {
    const run = fraglab("replay", "--allocator", "pymalloc:variant=cpython-3.8", "--trace", tiny, "--json");
    const answer = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(Object.keys(answer).slice(0, 8)).toEqual([
      "allocator",
      "options",
      "workload",
      "seed",
      "events",
      "outcome",
      "metrics",
      "costs",
    ]);
    expect(answer).toMatchObject({
      allocator: "pymalloc",
      options: { variant: "cpython-3.8" },
      events: 7,
      outcome: "completed",
    });
    expect(answer["metrics"]).toMatchObject({ peakLive: 700, endLive: 0 });
    const kinds = Object.entries(answer["metrics"] as Record<string, number>).filter(([name]) =>
      name.startsWith("peak."),
    );
    const footprintAtPeak = kinds.reduce((sum, [, bytes]) => sum + bytes, 0);
    expect(footprintAtPeak % 4096).toBe(0);
    expect(footprintAtPeak / 700 - 1).toBeCloseTo((answer["metrics"] as Record<string, number>)["jw2"], 9);
  });

  it("replays a workload under a memory limit until it runs out, and says where", () => {
    const run = fraglab(
      "replay",
      "--allocator",
      "bump",
      "--workload",
      "churn:events=20000,live=2000",
      "--limit",
      "256K",
      "--json",
    );
    const answer = JSON.parse(run.stdout) as { outcome: string; exhaustedAt: number; events: number };
    expect(answer.outcome).toBe("exhausted");
    expect(answer.exhaustedAt).toBe(answer.events);
    expect(answer.events).toBeGreaterThan(100);
    expect(answer.events).toBeLessThan(20000);
  });

  it("replays with real bytes behind the blocks", () => {
    const run = fraglab(
      "replay",
      "--allocator",
      "handle-table",
      "--workload",
      "churn:events=5000,live=500",
      "--checked",
      "--json",
    );
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: "completed", events: 5000 });
  });

  it("places: one line for each allocate or reallocate, with arenas where there are any", () => {
    const run = fraglab("place", "--allocator", "pymalloc", "--trace", tiny);
    const lines = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(lines[0]).toEqual(["event", "address", "arena", "offset"]);
    expect(lines.slice(1).map(([event]) => event)).toEqual(["0", "1", "2", "4"]);
    expect(lines[1].slice(2)).toEqual(["0", "48"]);
    expect(lines[3].slice(2)).toEqual(["-", "-"]); // 600 bytes are a large block
    const plain = fraglab("place", "--allocator", "first-fit", "--trace", tiny, "--out", join(folder, "placed.tsv"));
    expect(plain.stdout).toBe("");
    const written = readFileSync(join(folder, "placed.tsv"), "utf8").trimEnd().split("\n");
    expect(written).toHaveLength(5);
    expect(written[1]).toMatch(/^0\t\d+\t-\t-$/);
  });

  it("describes and converts traces without loss", () => {
    const compact = join(folder, "tiny.fgt");
    const back = join(folder, "back.trace.gz");
    expect(fraglab("trace", "convert", tiny, compact).status).toBe(0);
    expect(fraglab("trace", "convert", compact, back).status).toBe(0);
    const infos = [tiny, compact, back].map(
      (path) => JSON.parse(fraglab("trace", "info", path, "--json").stdout) as Record<string, unknown>,
    );
    expect(infos[0]).toMatchObject({
      name: "tiny",
      events: 7,
      allocations: 3,
      reallocations: 1,
      frees: 3,
      peakLiveBytes: 700,
      peakLiveBlocks: 2,
      endLiveBytes: 0,
      threads: 1,
    });
    expect(new Set(infos.map((info) => info["digest"])).size).toBe(1);
    expect(fraglab("trace", "info", tiny).stdout).toContain("peak live");
  });
});

describe("a mistake gets one line that says what, where and how to mend it", () => {
  it("for a missing file", () => {
    expectRefusal(fraglab("trace", "info", join(folder, "absent.rep")), /absent\.rep/, /no such file/);
    expectRefusal(fraglab("replay", "--allocator", "bump", "--trace", folder), /directory/);
  });

  it("for a truncated gzip", () => {
    const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `a ${i} ${(i * 7919) % 977}\n`).join(""));
    const cut = file("cut.trace.gz", whole.subarray(0, whole.length >> 1));
    expectRefusal(fraglab("trace", "info", cut), /cut\.trace\.gz/, /cut short|too early/);
  });

  it("for a .rep file with a free of an unknown id, or a negative size", () => {
    const head = "20000\n2\n3\n1\n";
    expectRefusal(
      fraglab("trace", "info", file("free.rep", `${head}a 0 8\nf 7\nf 0\n`)),
      /free\.rep:6: free of id 7/,
      /--lenient/,
    );
    expectRefusal(
      fraglab("trace", "info", file("negative.rep", `${head}a 0 -8\nf 0\n`)),
      /negative\.rep:5:.*(size|-8)/,
    );
    const lenient = fraglab("trace", "info", join(folder, "free.rep"), "--lenient", "--json");
    expect(JSON.parse(lenient.stdout)).toMatchObject({ events: 2 });
  });

  it("for an empty trace", () => {
    expectRefusal(fraglab("trace", "info", file("nothing.trace", "")), /nothing\.trace.*empty/);
    expectRefusal(fraglab("trace", "info", file("comments.trace", "# nothing here\n")), /comments\.trace.*no events/);
  });

  it("for unknown names, with the nearest known one", () => {
    expectRefusal(
      fraglab("replay", "--allocator", "pymaloc", "--trace", tiny),
      /unknown allocator "pymaloc": did you mean "pymalloc"/,
    );
    expectRefusal(
      fraglab("replay", "--allocator", "bump", "--workload", "chrun"),
      /unknown workload "chrun": did you mean "churn"/,
    );
    expectRefusal(
      fraglab("replay", "--allocator", "first-fit:wildernes=ordinary", "--trace", tiny),
      /option.*"wildernes".*"wilderness"/,
    );
    expectRefusal(
      fraglab("replay", "--allocator", "bump", "--trace", tiny, "--metrics", "jw5"),
      /unknown metric "jw5"/,
    );
    expectRefusal(fraglab("run", "seed-scenario"), /unknown experiment "seed-scenario": did you mean "seed-scenarios"/);
    expectRefusal(fraglab("list", "alocators"), /did you mean "allocators"/);
    expectRefusal(fraglab("draw", "seed-scenarios", "--theme", "amc"), /unknown theme "amc": did you mean "acm"/);
  });

  it("for options that are out of range or do not parse", () => {
    expectRefusal(
      fraglab("replay", "--allocator", "first-fit:minSplit=3", "--trace", tiny),
      /first-fit: option minSplit: "3"/,
    );
    expectRefusal(
      fraglab("replay", "--allocator", "pymalloc:variant=cpython-2.0", "--trace", tiny),
      /variant.*cpython-3\.10/,
    );
    expectRefusal(fraglab("replay", "--allocator", "bump", "--workload", "churn:live=0"), /churn: option live: "0"/);
    expectRefusal(fraglab("replay", "--allocator", "bump:growth", "--trace", tiny), /expected name:option=value/);
  });

  it("for wrong usage of a command", () => {
    for (const args of [
      ["replay", "--trace", tiny],
      ["replay", "--allocator", "bump", "--seed", "-1"],
      ["replay", "--allocatr", "bump"],
      ["run", "--jobs", "0"],
      ["run", "--profile", "quik"],
      ["draw", "seed-scenarios", "--format", ""],
      ["trace", "inf", tiny],
      ["frobnicate"],
    ]) {
      expectRefusal(fraglab(...args), /^fraglab: .*--help$/m);
    }
    expectRefusal(fraglab("rum"), /Did you mean run/);
    expectRefusal(fraglab("replay", "--allocator", "bump"), /--trace FILE or --workload NAME/);
    expectRefusal(fraglab("trace", "convert", tiny, join(folder, "out.xyz")), /\.fgt/);
  });

  it("for an output file that cannot be one, before any work is done", () => {
    for (const [out, why] of [
      [folder, /is a folder/],
      [join(folder, "no-such-folder", "x.fgt"), /no folder/],
      ["/dev/null", /no regular file|\.fgt/],
      ["", /name of a file|\.fgt/],
    ] as const) {
      expectRefusal(fraglab("place", "--allocator", "bump", "--trace", tiny, "--out", out), why);
      expectRefusal(fraglab("trace", "convert", tiny, out), /folder|\.fgt/);
    }
  });

  it("for placements by a bound, whose addresses would be invented, before anything is written", () => {
    const out = join(folder, "bound.tsv");
    for (const bound of ["ideal", "oracle:header=16"]) {
      const run = fraglab("place", "--allocator", bound, "--trace", tiny, "--out", out);
      expectRefusal(run, /^fraglab: --allocator (ideal|oracle): is a bound.*real allocator.*fraglab replay/);
    }
    expect(existsSync(out)).toBe(false);
  });

  it("for what a lenient reader dropped, on stderr", () => {
    const twice = file("twice.rep", "20000\n1\n3\n1\na 0 8\nf 0\nf 0\n");
    const run = fraglab("replay", "--allocator", "bump", "--trace", twice, "--lenient", "--json");
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/twice\.rep: dropped .*: 1, first in line 7/);
    expect(JSON.parse(run.stdout)).toMatchObject({ events: 2 });
  });

  it("for an unknown command also where help is asked for, and for metrics, which are too many to name", () => {
    expectRefusal(fraglab("help", "nosuch"), /unknown command 'nosuch'\. See fraglab --help/);
    expectRefusal(fraglab("trace", "inf", "--help"), /Did you mean info\?.*See fraglab trace --help/);
    expect(fraglab("help", "trace", "info").stdout).toContain("$ fraglab trace info");
    const asked = (metric: string) => fraglab("replay", "--allocator", "bump", "--trace", tiny, "--metrics", metric);
    expectRefusal(asked("fooBar"), /unknown metric "fooBar": see `fraglab list metrics`/);
    expectRefusal(asked("peakLiv"), /did you mean "peakLive"/);
  });

  it("for an output folder that cannot be written, before any work is done", () => {
    const blocked = join(file("plain-file", "x"), "results");
    expectRefusal(fraglab("run", "seed-scenarios", "--out", blocked), /plain-file/, /--out/);
    expectRefusal(
      fraglab("place", "--allocator", "bump", "--trace", tiny, "--out", join(blocked, "p.tsv")),
      /plain-file/,
    );
    expectRefusal(fraglab("trace", "convert", tiny, join(blocked, "x.fgt")), /plain-file/);
  });

  it("for a cache that cannot be written, by its own name", () => {
    const run = sandbox.start(["run", "seed-scenarios", "--out", join(folder, "uncached")], {
      FRAGLAB_CACHE: file("plain-cache", "x"),
    });
    return new Promise<void>((resolve) => {
      let stderr = "";
      run.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      run.once("close", (code) => {
        expect([code, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
        expect(stderr).toMatch(/plain-cache: name another folder by FRAGLAB_CACHE/);
        resolve();
      });
    });
  });
});
