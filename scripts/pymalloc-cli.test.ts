/** `fraglab pymalloc` as people use it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { pymallocPins } from "./pymalloc-pins.js";
import { pymallocRead } from "./pymalloc-read.js";
import { pymallocStats } from "./pymalloc-stats.js";
import { Sandbox } from "./sandbox.properties.js";

const samples = fileURLToPath(new URL("../allocators/pymalloc/samples/", import.meta.url));
const sandbox = new Sandbox("pymalloc");
const { folder } = sandbox;
const file = (name: string, contents: string): string => sandbox.file(name, contents);
const pymalloc = (...args: string[]) => sandbox.fraglab(["pymalloc", ...args]);

function jsonOf(...args: string[]) {
  const { status, stdout, stderr } = pymalloc(...args, "--json");
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

/** 600 blocks of 480 bytes; every 50th, by another site, stays. One block lies outside of the arenas. */
const trace = file(
  "run.trace",
  [
    "n 1 main;cache",
    "n 2 main;work",
    "a 600 5000 @2",
    ...Array.from({ length: 600 }, (_, i) => `a ${i} 480 @${i % 50 === 0 ? 1 : 2}`),
    "s full",
    ...Array.from({ length: 600 }, (_, i) => (i % 50 === 0 ? [] : [`f ${i}`])).flat(),
    "",
  ].join("\n"),
);

describe("fraglab pymalloc", () => {
  it("explains itself with examples", () => {
    for (const args of [[], ["stats", "--help"], ["pins", "--help"], ["read", "--help"]]) {
      const help = pymalloc(...args);
      expect(help.status).toBe(0);
      expect(help.stdout).toContain("$ fraglab pymalloc");
    }
  });

  it("prints statistics that read back as the numbers they are, also after some events", () => {
    for (const [variant, bytes] of [
      ["cpython-3.8", 4096],
      ["cpython-3.13", 16384],
    ] as const) {
      const text = pymalloc("stats", "--variant", variant, "--trace", trace, "--at", "601").stdout;
      const read = jsonOf("read", file("stats.txt", text));
      const { statistics, events } = jsonOf("stats", "--variant", variant, "--trace", trace, "--at", "full");
      expect(events).toBe(602);
      expect(read).toMatchObject({ printings: 1, pool: bytes, threshold: 512, freeLists: [] });
      expect(read.statistics).toEqual(statistics);
      expect(statistics.classes).toMatchObject([{ size: 480, blocksInUse: 600 }]);
    }
  });

  it("says which blocks keep the arenas, by size, age and site", () => {
    const pins = jsonOf("pins", "--trace", trace, "--variant", "3.9");
    expect(pins).toMatchObject({ allocator: "pymalloc:variant=cpython-3.9", outside: { blocks: 1, bytes: 5000 } });
    // Eight blocks of 480 bytes in a pool: 75 pools, of which 12 are kept by one block each, in two arenas of 64 pools.
    expect(pins.pools).toEqual([{ least: 1, most: 1, pools: 12, blocks: 12, liveBytes: 5760 }]);
    expect(pins.arenas.map((row: { blocks: number }) => row.blocks)).toEqual([11, 1]);
    expect(pins.sizes).toMatchObject([{ name: "480", blocks: 12, pools: 12, arenasAlone: 2 }]);
    expect(pins.sites).toMatchObject([{ name: "main;cache", blocks: 12, pools: 12, arenasAlone: 2 }]);
    expect(pins.oldest.at(-1)).toMatchObject({ freed: 12, liveBytes: 0, poolBytes: 0 });
    const text = pymalloc("pins", "--trace", trace, "--variant", "3.9").stdout;
    expect(text).toContain("2 arenas of 256 KiB, pools of 4.00 KiB: kept by 12 blocks, 5.63 KiB live\n1 larger block");
    const full = jsonOf("pins", "--trace", trace, "--variant", "3.9", "--at", "full");
    expect(full.sites.map((row: { name: string }) => row.name).sort()).toEqual(["main;cache", "main;work"]);
  });

  it("keeps apart arenas of blocks and the empty one that the allocator keeps", () => {
    // All but the first block go, the newest first: the second arena empties while no other is in the list, so it is kept.
    const lines = ["a 0 480", ...Array.from({ length: 600 }, (_, i) => `a ${i + 1} 480`)];
    const one = file("one.trace", [...lines, ...Array.from({ length: 600 }, (_, i) => `f ${600 - i}`), ""].join("\n"));
    const { stdout } = pymalloc("pins", "--trace", one, "--variant", "3.9");
    expect(stdout).toContain(
      "1 arena of 256 KiB, pools of 4.00 KiB: kept by 1 block, 480 B live; 1 empty arena kept by",
    );
    expect(stdout).toContain("To empty 1 arena of them, a compaction would have to move 1 block, 480 B, at least");
  });

  it("knows all options: classes fitted to the trace, any outer heap, and a domain without pools", () => {
    const of = (options: string) => jsonOf("stats", "--trace", trace, "--at", "full", "--options", options).statistics;
    expect(of("spacing=fitted,classes=1").classes).toMatchObject([{ size: 512, blocksInUse: 600 }]);
    expect(of("spacing=fitted,classes=2").classes).toMatchObject([{ size: 480, blocksInUse: 600 }]);
    expect(of("outer=jemalloc/dirtyDecay=1")).toEqual(of("outer=first-fit"));
    const raw = pymalloc("stats", "--trace", trace, "--options", "domain=raw").stdout;
    expect(raw).toMatch(/^Small block threshold = 512, in 32 size classes\.\n/);
    expect(jsonOf("read", file("raw.txt", raw)).statistics.total).toBe(0);
    const pins = jsonOf("pins", "--trace", trace, "--options", "spacing=fitted,classes=2");
    expect(pins.sizes).toMatchObject([{ name: "480", blocks: 12 }]);
  });

  it("draws pins, occupancy and size classes", () => {
    expect(pymalloc("pins", "--trace", trace, "--out", join(folder, "pins")).status).toBe(0);
    const sample = join(samples, "cpython-3.9.18.txt");
    expect(pymalloc("read", sample, "--trace", trace, "--out", join(folder, "read")).status).toBe(0);
    const drawn = ["pins", "read"].flatMap((name) => readdirSync(join(folder, name)).sort());
    const files = (name: string): string[] => ["png", "svg", "vl.json"].map((ending) => `${name}.${ending}`);
    expect(drawn).toEqual(["occupancy", "pins", "classes"].flatMap(files));
    const svg = readFileSync(join(folder, "read", "classes.svg"), "utf8");
    expect(svg).toContain("cpython-3.9.18.txt");
    expect(svg).not.toContain(samples);
  });

  it("refuses in one line", () => {
    const { status, stdout, stderr } = pymalloc("stats", "--trace", trace, "--variant", "cpython-3.1");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^fraglab: unknown variant of pymalloc "cpython-3.1": did you mean "cpython-3\.\d+"\?\n$/);
    expect(pymalloc("pin").status).toBe(2);
    expect(pymalloc("pins", "--tp", "3").stderr).toContain("(Did you mean --top?) See fraglab pymalloc pins --help");
  });

  const stats = (options: object) => pymallocStats({ trace, seed: 1, ...options });
  it.each([
    ["another language", () => stats({ variant: "2.7" }), "known: cpython-3.7, cpython-3.8"],
    ["a pool larger than an arena", () => stats({ options: "pool=64K,arena=32K" }), "less than a pool of 65536"],
    ["a pool of no power of two", () => stats({ options: "pool=5000" }), "5000 is not a power of two"],
    ["two variants", () => stats({ variant: "3.9", options: "variant=cpython-3.8" }), "give one of them"],
    [
      "options of a heap that is not simulated",
      () => pymallocRead(join(samples, "cpython-3.9.18.txt"), { seed: 1, at: "peak" }),
      "--at is of the simulated heap: give --trace FILE",
    ],
    ["a misspelt option", () => stats({ options: "pol=4K" }), 'did you mean "pool"?'],
    ["an event behind the end", () => stats({ at: "99999" }), "the trace has 1190 events"],
    ["an unknown mark", () => stats({ at: "ful" }), "expected a number of events, peak, end, or a mark (full)"],
    ["no trace", () => pymallocPins({ seed: 1, top: 20 }), "give --trace FILE or --workload NAME"],
    [
      "statistics of mimalloc",
      () => pymallocRead(join(samples, "cpython-3.13.0-mimalloc.txt"), { seed: 1 }),
      "mimalloc",
    ],
    ["another text", () => pymallocRead(trace, { seed: 1 }), `no line "Small block threshold = `],
    ["a missing file", () => pymallocRead(join(folder, "none.txt"), { seed: 1 }), "no such file"],
    ["a folder", () => pymallocRead(folder, { seed: 1 }), "is a directory"],
  ])("refuses %s", async (_, work, words) => {
    const error: unknown = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toContain(words);
    expect((error as InputError).message).not.toContain("\n");
  });
});
