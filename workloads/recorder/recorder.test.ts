/** The recorder beneath small programs whose requests are known. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { readTrace } from "../read-trace.js";
import type { Trace } from "../trace.js";
import { opsOf } from "../trace.properties.js";
import { summarise } from "../trace-summary.js";
import { loadProgram, recorderLibrary } from "./library.js";
import { type Recording, readRecording, recordingsIn, savedMaps } from "./recordings.js";

const folder = mkdtempSync(join(tmpdir(), "fraglab-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds a C program with every call left as it is written. */
function build(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.c`, source);
  const run = spawnSync("cc", ["-O0", "-fno-builtin", "-pthread", "-o", path, `${path}.c`], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  return path;
}

interface Run {
  readonly recordings: readonly Recording[];
  readonly maps: string;
  readonly signal: NodeJS.Signals | null;
  readonly folder: string;
}

function recordRun(program: string, sites = false): Run {
  const place = mkdtempSync(join(folder, "run-"));
  const env = { LD_PRELOAD: recorderLibrary(join(folder, "cache"), sites), FRAGLAB_RECORD: join(place, "image") };
  const { signal } = spawnSync(program, [], { env });
  return { recordings: recordingsIn(place, "image"), maps: savedMaps(place, "image"), signal, folder: place };
}

function traceOf(run: Run, index = 0, threads = false): Trace {
  const one = run.recordings[index];
  if (one === undefined) throw new Error(`no recording ${index}`);
  return readRecording(one, run.recordings, { name: "run", threads, maps: run.maps }).trace;
}

const listed = `
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
int main(void) {
  void *volatile a = malloc(24), *volatile b = calloc(10, 4), *c;
  a = realloc(a, 4000);
  void *volatile d = memalign(64, 200), *volatile e = aligned_alloc(32, 96);
  if (posix_memalign(&c, 4096, 5)) return 1;
  b = realloc(b, 8);
  void *volatile z = malloc(0), *volatile n = realloc(NULL, 77);
  free(NULL);
  volatile size_t huge = PTRDIFF_MAX;
  if (malloc(huge) || realloc(z, huge) || calloc(huge, 4)) return 2;
  n = realloc(n, 0);
  b = reallocarray(b, 3, 7);
  void *volatile p = pvalloc(10), *volatile v = valloc(20);
  free(v); free(p); free(z); free(c); free(e); free(d); free(a);
  return 0; /* b is leaked on purpose */
}`;

describe("the recorder", () => {
  const program = build("listed", listed);
  const expected =
    "a 0 24\\na 1 40\\nr 0 4000\\na 2 200\\na 3 96\\na 4 5\\nr 1 8\\na 5 0\\na 6 77\\nf 6\\nr 1 21\\na 7 10\\na 8 20\\nf 8\\nf 7\\nf 5\\nf 4\\nf 3\\nf 2\\nf 0\\n";

  it("gives exactly the requests of a program, with alignments", () => {
    const run = recordRun(program);
    const trace = traceOf(run);
    expect(opsOf(trace)).toBe(expected.replaceAll("\\n", "\n"));
    expect([...trace.op].map((op) => op >>> 4).filter((code) => code > 0)).toEqual([2, 1, 8, 8, 8]);
    const [one] = run.recordings;
    expect(one).toMatchObject({ serial: 1, parentPid: 0, ended: true, full: false, program });
  });

  it("counts what is in no trace: free(NULL) and calls that fail", () => {
    const run = recordRun(program);
    const [one] = run.recordings;
    const { report } = readRecording(one as Recording, run.recordings, { name: "run", threads: false, maps: "" });
    const counts = Object.entries(report.dropped).map(([kind, { count }]) => [kind, count]);
    expect(counts).toEqual([
      ["freeNull", 1],
      ["failedCall", 3],
    ]);
    expect([report.altered, report.assumed, report.ignored, report.notes]).toEqual([{}, {}, {}, []]);
  });

  it("leaves a file that readTrace reads, however often it is cut", async () => {
    const run = recordRun(program);
    const path = run.recordings[0]?.path ?? "";
    const { trace, report } = await readTrace(path);
    expect(report.format).toBe("recording");
    expect(opsOf(trace)).toBe(opsOf(traceOf(run)));
    const { readFileSync } = await import("node:fs");
    const bytes = readFileSync(path).subarray(0, 4096 + 16 * 30);
    for (const length of [100, 4095, 4096, 4100, 4096 + 16 * 7, 4096 + 16 * 7 + 5]) {
      writeFileSync(join(folder, "cut"), bytes.subarray(0, length));
      const outcome = await readTrace(join(folder, "cut"), { format: "recording" }).catch((error: unknown) => error);
      if (outcome instanceof InputError) expect(outcome.message).toMatch(/cut: (?:byte 0: "a cut header"|no events)/);
      else expect(outcome).toMatchObject({ report: { notes: [expect.stringContaining("the file is cut short")] } });
    }
  });

  it("names call sites by module and offset", () => {
    const run = recordRun(program, true);
    const trace = traceOf(run);
    expect(opsOf(trace)).toBe(expected.replaceAll("\\n", "\n"));
    expect(new Set(trace.sites.names.map((name) => name.replace(/\+0x[0-9a-f]+$/, "")))).toEqual(new Set(["listed"]));
    expect(trace.sites.names.length).toBe(12);
    expect(traceOf(recordRun(program, true)).sites.names).toEqual(trace.sites.names);
  });

  it("loses nothing when the program is killed", () => {
    const crash = build(
      "crash",
      `#include <signal.h>
      #include <stdlib.h>
      int main(void) { for (int i = 0; i < 100000; i++) malloc(i % 100); raise(SIGKILL); }`,
    );
    const run = recordRun(crash);
    expect(run.signal).toBe("SIGKILL");
    expect(run.recordings[0]).toMatchObject({ ended: false, records: 100_000 });
    expect(summarise(traceOf(run))).toMatchObject({ allocations: 100_000, endLiveBytes: 4_950_000 });
  });

  it("gives a forked child what it inherited, and the parent nothing of the child", () => {
    const forks = build(
      "forks",
      `#include <stdlib.h>
      #include <sys/wait.h>
      #include <unistd.h>
      int main(void) {
        void *a = malloc(11), *b = malloc(22);
        if (fork() == 0) { free(a); malloc(33); _exit(0); }
        wait(NULL); malloc(44); free(b);
        if (fork() == 0) { malloc(55); _exit(0); }
        wait(NULL); free(a);
      }`,
    );
    const run = recordRun(forks);
    expect(run.recordings).toHaveLength(3);
    const texts = run.recordings
      .map((_, index) => traceOf(run, index))
      .map((trace) => [trace.length, trace.labels, [...trace.size]]);
    // Process ids need not ascend.
    expect(new Set(texts.map((text) => JSON.stringify(text)))).toEqual(
      new Set(['[5,["fork"],[11,22,0,0,33]]', "[5,[],[11,22,44,0,0]]", '[6,["fork"],[11,22,44,0,0,55]]']),
    );
  });

  it("keeps the order of many threads: no address is given out before its free", () => {
    const threads = build(
      "threads",
      `#include <pthread.h>
      #include <stdlib.h>
      static void *work(void *seed) {
        void *live[64] = {0};
        unsigned x = (unsigned)(long)seed * 7919 + 1;
        for (int i = 0; i < 50000; i++) {
          x = x * 1664525 + 1013904223;
          int k = (x >> 16) % 64;
          if (x >> 31) live[k] = realloc(live[k], 1 + (x >> 8) % 3000);
          else { free(live[k]); live[k] = malloc(1 + (x >> 8) % 500); }
        }
        for (int i = 0; i < 64; i++) free(live[i]);
        return 0;
      }
      int main(void) {
        pthread_t t[4];
        for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, work, (void *)i);
        for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
      }`,
    );
    const run = recordRun(threads);
    const [one] = run.recordings;
    const { trace, report } = readRecording(one as Recording, run.recordings, { name: "run", threads: true, maps: "" });
    expect([report.altered, report.ignored]).toEqual([{}, {}]);
    expect(Object.keys(report.dropped)).toEqual(["freeNull"]);
    expect(summarise(trace)).toMatchObject({ threads: 5 });
    const { allocations, frees, reallocations, endLiveBlocks } = summarise(trace);
    // A reallocation of NULL is an allocation: 200000 requests, and 4 blocks of the thread library beside them.
    expect(allocations + reallocations).toBe(200_004);
    expect(allocations - frees).toBe(endLiveBlocks);
    expect(endLiveBlocks).toBe(4);
    expect(traceOf(run).threads.at).toHaveLength(0);
  });

  it("does nothing to a program that is not recorded", () => {
    const place = mkdtempSync(join(folder, "run-"));
    const run = spawnSync(program, [], {
      env: { LD_PRELOAD: recorderLibrary(join(folder, "cache"), false) },
      cwd: place,
    });
    expect([run.status, readdirSync(place)]).toEqual([0, []]);
  });
});

describe("the program that the bench records", () => {
  it.each([1, 2])("asks for as many pairs as it is told, in %i threads", (threads) => {
    const place = mkdtempSync(join(folder, "run-"));
    const env = {
      LD_PRELOAD: recorderLibrary(join(folder, "cache"), false),
      FRAGLAB_RECORD: join(place, "image"),
    };
    const pairs = 3000;
    const run = spawnSync(loadProgram(join(folder, "cache")), [`${pairs}`, "1", `${threads}`], {
      env,
      encoding: "utf8",
    });
    expect(Object.keys(JSON.parse(run.stdout))).toEqual(["wall", "user", "system", "sum"]);
    const load = { recordings: recordingsIn(place, "image"), maps: "", signal: null, folder: place };
    const trace = traceOf(load, 0, true);
    const own = [...trace.size].filter((size) => size >= 16 && size < 272).length;
    expect([pairs, pairs + 1]).toContain(own); // with two threads one block of the thread library is as small
    const { threads: seen, sizeQuantiles } = summarise(trace);
    expect(seen).toBe(threads);
    expect(sizeQuantiles.p50).toBeGreaterThan(130);
    expect(sizeQuantiles.p50).toBeLessThan(158);
  });
});

describe("the recorder's library", () => {
  it("is built once and kept", () => {
    const path = recorderLibrary(join(folder, "cache"), false);
    expect(existsSync(path)).toBe(true);
    expect(recorderLibrary(join(folder, "cache"), false)).toBe(path);
    expect(recorderLibrary(join(folder, "cache"), true)).not.toBe(path);
  });

  it("says what to do where there is no compiler, or one that fails", () => {
    const before = process.env["CC"];
    try {
      process.env["CC"] = join(folder, "no-such-compiler");
      expect(() => recorderLibrary(join(folder, "cache"), false)).toThrow(
        /none of .*no-such-compiler runs: install gcc or clang, or name one with CC=/,
      );
      process.env["CC"] = "echo";
      expect(() => recorderLibrary(join(folder, "empty"), false)).toThrow(InputError);
    } finally {
      if (before === undefined) delete process.env["CC"];
      else process.env["CC"] = before;
    }
  });
});
