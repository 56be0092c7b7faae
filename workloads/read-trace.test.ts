import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { readTrace, traceFormats, traceNameOf } from "./read-trace.js";
import { arbitraryTrace, contentsOf } from "./trace.properties.js";
import { TraceBuilder } from "./trace-builder.js";
import { readTraceFile, writeTraceFile } from "./trace-file.js";
import { writeTextTrace } from "./trace-text-writer.js";
import { canUnpackZstd } from "./zstd.js";

/** "a 0 8\nf 0\n" as zstd 1.5 packs it. */
const zstd = Buffer.from("28b52ffd045851000061203020380a6620300aec95a072", "hex");
/** Two frames with checksums and a skippable one between them, as zstd 1.5 packs them. */
const frames = Buffer.from(
  "28b52ffd241bd900006120302032340a612031203130300a722030203630300a6620310acf4e9d22502a4d180500000068656c6c6f28b52ffd241de9000073207365636f6e64206672616d650a61203120380a6620300a6620310ae281d5ba",
  "hex",
);
/** "a 0 8\n" and 8 million line feeds, as zstd 1.5 packs them. */
const bomb = Buffer.from(
  "KLUv/QRodAAAMGEgMCA4CgEA9/85KAICABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAoCABAKAgAQCgIAEAozkAAKg+Sm0w==",
  "base64",
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fraglab-"));
});
afterAll(() => rm(folder, { recursive: true }));

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).not.toContain("\n");
  return (error as InputError).message;
}

/** What must hold where Node unpacks zstd; where it does not, the same data must be refused. */
function unpacks(name: string, data: Uint8Array, work: () => Promise<void>): void {
  it(name, async () => {
    if (canUnpackZstd) await work();
    else expect(await messageOf(readTrace(fileOf("packed.zst", data)))).toMatch(/cannot unpack: run unzstd on it/);
  });
}

const lines = "20000\n1\n3\n1\na 0 8\nr 0 9\nf 0\n";

describe("readTrace", () => {
  it("tells the format by the content, whatever the name", async () => {
    const { trace } = await readTrace(fileOf("plain.rep", lines));
    const compact = join(folder, "odd.rep");
    await writeTraceFile(compact, trace);
    const all = [compact, fileOf("text.fgt", lines), fileOf("zipped.txt", gzipSync(lines)), fileOf("none", lines)];
    const results = await Promise.all(all.map((path) => readTrace(path)));
    expect(results.map((result) => result.report.format)).toEqual(["fgt", "text", "text", "text"]);
    for (const result of results) expect(contentsOf(result.trace)).toEqual(contentsOf(trace));
  });

  it("names a trace after its file", async () => {
    expect(traceNameOf("/a/b.c/py-web.trace.gz")).toBe("py-web");
    expect((await readTrace(fileOf("binary-bal.rep", lines))).trace.name).toBe("binary-bal");
  });

  it("reports counts with the lines where they begin", async () => {
    const { report } = await readTrace(fileOf("late.txt", "a 0 8\nf 3\nf -1\nr 4 4\n"), { lenient: true });
    expect(report).toEqual({
      format: "text",
      lines: 4,
      unit: "line",
      events: 2,
      dropped: { unknownFree: { count: 1, firstLine: 2 }, freeNull: { count: 1, firstLine: 3 } },
      altered: { reallocateOfUnknown: { count: 1, firstLine: 4 } },
      assumed: {},
      ignored: {},
      notes: [],
    });
  });

  it("takes a zipped file of several members and a line that spans chunks", async () => {
    const comment = `# ${"x".repeat(60_000)}\n`.repeat(20);
    const bytes = Buffer.concat([gzipSync(comment), gzipSync("a 0 8\n"), gzipSync(`${comment}f 0`)]);
    expect((await readTrace(fileOf("members.gz", bytes))).report).toMatchObject({ lines: 42, events: 2 });
  });

  it.each([
    ["an empty file", "", "is empty"],
    ["a zipped empty file", gzipSync(""), "holds no data"],
    ["only comments", "# nothing\n\n", "no events"],
    ["only a header", "1\n2\n", "no events"],
    ["prose", "Dear reader,\n", "in no known trace format: expected one of fgt, "],
    ["an image", Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), "in no known trace format"],
    ["one endless line", `a 0 ${"8".repeat(100_000)}`, "a line of over 65536 bytes"],
    ["a wrong line", gzipSync("a 0 8\nf 1\n"), ":2: free of id 1, which is not live"],
  ])("answers %s with one line", async (name, content, message) => {
    const path = fileOf(`${name.replaceAll(" ", "-")}.trace`, content);
    const said = await messageOf(readTrace(path));
    expect(said.startsWith(path)).toBe(true);
    expect(said).toContain(message);
  });

  it("answers a missing file, a folder and a file in no folder with one line", async () => {
    const missing = join(folder, "missing.trace");
    expect(await messageOf(readTrace(missing))).toBe(`${missing}: no such file: check the path`);
    expect(await messageOf(readTrace(folder))).toBe(`${folder}: is a directory: name a trace file in it`);
    expect(await messageOf(readTrace(join(fileOf("file", lines), "x")))).toContain("no such file");
  });

  it("refuses a part that the file has not", async () => {
    const said = await messageOf(readTrace(fileOf("one.trace", "a 0 8\nf 0\n"), { part: 2 }));
    expect(said).toMatch(/one\.trace: has no part 2: text files hold one heap; leave out --part$/);
    const { trace } = await readTrace(fileOf("one.trace", "a 0 8\nf 0\n"));
    const compact = join(folder, "one.fgt");
    await writeTraceFile(compact, trace);
    expect(await messageOf(readTrace(compact, { part: 2 }))).toMatch(/has no part 2: fgt files hold one heap/);
  });

  it("takes a format by name, and says which there are", async () => {
    const prose = fileOf("prose", "Dear reader,\n");
    expect(await messageOf(readTrace(prose, { format: "text" }))).toContain(`${prose}:1: "Dear reader,"`);
    expect(await messageOf(readTrace(prose, { format: "fgt" }))).toContain("not a .fgt trace file");
    expect(await messageOf(readTrace(prose, { format: "txt" }))).toBe(
      'unknown trace format "txt": did you mean "text"?',
    );
    expect(traceFormats).toEqual(expect.arrayContaining(["fgt", "text", "valgrind", "pytorch"]));
  });

  it("asks to unzip a zipped compact file", async () => {
    const path = join(folder, "compact.fgt");
    await writeTraceFile(path, (await readTrace(fileOf("p.rep", lines))).trace);
    const { readFile } = await import("node:fs/promises");
    expect(await messageOf(readTrace(fileOf("compact.fgt.gz", gzipSync(await readFile(path)))))).toContain(
      "gunzip it first",
    );
  });

  it("says what to do with zstd where Node cannot unpack it", async () => {
    const reading = readTrace(fileOf("packed.trace.zst", zstd));
    if (canUnpackZstd) expect((await reading).trace.length).toBe(2);
    else
      expect(await messageOf(reading)).toMatch(/packed by zstd, which Node 2\d\.\S+ cannot unpack: run unzstd on it/);
  });

  describe("on a file packed by zstd", () => {
    unpacks("reads every frame, and passes over what is not for it", frames, async () => {
      const { trace, report } = await readTrace(fileOf("frames.trace.zst", frames));
      expect([trace.name, ...trace.size]).toEqual(["frames", 24, 100, 600, 0, 0, 8, 0, 0]);
      expect([report.lines, trace.labels]).toEqual([8, ["second frame"]]);
      const many = Buffer.concat(Array.from({ length: 300 }, () => zstd));
      expect((await readTrace(fileOf("many.zst", many))).trace.length).toBe(600);
    });

    unpacks(
      "is an error of one line, with the byte, wherever a file is cut but between frames",
      frames.subarray(0, 20),
      async () => {
        const whole = new Set([40, 53]);
        for (let length = 4; length < frames.length; length++) {
          const reading = readTrace(fileOf("cut.zst", frames.subarray(0, length)));
          if (whole.has(length)) expect((await reading).trace.length).toBe(4);
          else
            expect(await messageOf(reading)).toMatch(
              new RegExp(`cut\\.zst: byte ${length}: the zstd data end too early: expected the rest of a frame`),
            );
        }
      },
    );

    unpacks("is an error of one line where something else follows a frame", zstd, async () => {
      expect(await messageOf(readTrace(fileOf("junk.zst", Buffer.concat([zstd, Buffer.from("junk")]))))).toMatch(
        /junk\.zst: byte 23: no zstd frame begins here: expected its magic number or the end of the file/,
      );
    });

    unpacks("never gives another trace when a bit of a file with checksums is wrong", frames, async () => {
      const { digest } = (await readTrace(fileOf("good.zst", frames))).trace;
      for (let bit = 32; bit < 8 * frames.length; bit++) {
        const flipped = Buffer.from(frames);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const outcome = await readTrace(fileOf("bad.zst", flipped)).catch((error: unknown) => error);
        if (!(outcome instanceof InputError)) expect(outcome).toMatchObject({ trace: { digest } });
      }
    });

    unpacks("refuses what unpacks to more than the limit: 8 MB of blank lines in 271 bytes", bomb, async () => {
      const path = fileOf("bomb.zst", bomb);
      expect(await messageOf(readTrace(path, { maxUnpacked: 1_000_000 }))).toContain(
        "unpacks to more than 1000000 bytes",
      );
      expect((await readTrace(path, { maxUnpacked: 8_000_006 })).report).toMatchObject({ lines: 8_000_001, events: 1 });
    });
  });

  it.each([
    ["xz", "fd377a585a0000"],
    ["bzip2", "425a683931"],
    ["zip", "504b030414"],
  ])("asks to unpack %s", async (name, hex) => {
    const said = await messageOf(readTrace(fileOf(`packed.${name}`, Buffer.from(hex, "hex"))));
    expect(said).toContain(`packed by ${name}: expected gzip, zstd or a plain file; unpack it first`);
  });

  it("refuses what unpacks to more than the limit", async () => {
    const path = fileOf("bomb.gz", gzipSync("a 0 8\nf 0\n".repeat(100_000)));
    expect(await messageOf(readTrace(path, { maxUnpacked: 500_000 }))).toBe(
      `${path}: unpacks to more than 500000 bytes: expected less; is it damaged? else raise the limit with --max-unpacked`,
    );
    expect((await readTrace(path, { maxUnpacked: 1_000_000 })).trace.length).toBe(200_000);
  });

  it("tells the format of a zipped file whose first member is a byte", async () => {
    const path = fileOf("slow.gz", Buffer.concat([gzipSync("="), gzipSync(" Start\n@ x + 0x10 0x8\n")]));
    expect((await readTrace(path)).report.format).toBe("mtrace");
  });

  it("is an error of one line wherever a zipped file is cut", async () => {
    const bytes = gzipSync("a 0 8\na 1 16\nr 0 99\nf 1\nf 0\n".repeat(3));
    for (let length = 1; length < bytes.length; length++) {
      const said = await messageOf(readTrace(fileOf("cut.gz", bytes.subarray(0, length))));
      expect(said.startsWith(join(folder, "cut.gz"))).toBe(true);
    }
  });

  it("never gives another trace when a bit of a zipped file is wrong", async () => {
    const bytes = gzipSync("a 0 8\na 1 16\nr 0 99\nf 1\nf 0\n".repeat(3));
    const { digest } = (await readTrace(fileOf("good.gz", bytes))).trace;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await readTrace(fileOf("bad.gz", flipped)).catch((error: unknown) => error);
      if (!(outcome instanceof InputError)) expect(outcome).toMatchObject({ trace: { digest } });
    }
  });

  it("never crashes, whatever the bytes", async () => {
    const heads = fc.constantFrom("", "\x1f\x8b", "\x1f\x8b\x08\0", "\x89FGT\r\n\x1a\n", "a ", "1\n", "# \n");
    await fc.assert(
      fc.asyncProperty(heads, fc.uint8Array({ maxLength: 80 }), fc.boolean(), async (head, tail, lenient) => {
        const path = fileOf("any", Buffer.concat([Buffer.from(head, "latin1"), tail]));
        const outcome = await readTrace(path, { lenient }).catch((error: unknown) => error);
        if (!(outcome instanceof InputError)) expect(outcome).toHaveProperty("report.format", expect.any(String));
      }),
      { numRuns: 400 },
    );
  });
});

describe("conversion", () => {
  it("from text to compact to zipped text and back keeps every event", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTrace(), async (trace) => {
        const [plain, compact, zipped] = ["c.trace", "c.fgt", "c.trace.gz"].map((name) => join(folder, name)) as [
          string,
          string,
          string,
        ];
        await writeTextTrace(plain, trace);
        await writeTraceFile(compact, (await readTrace(plain)).trace);
        await writeTextTrace(zipped, await readTraceFile(compact));
        expect(contentsOf((await readTrace(zipped)).trace)).toEqual(contentsOf(trace));
      }),
      { numRuns: 40 },
    );
  });

  it("zips by the ending of the name, and writes more than a buffer full", async () => {
    const builder = new TraceBuilder("big");
    for (let i = 0; i < 200_000; i++) builder.allocate(i);
    builder.phase("end");
    const trace = builder.build();
    const plain = join(folder, "big.trace");
    const zipped = join(folder, "big.trace.gz");
    await writeTextTrace(plain, trace);
    await writeTextTrace(zipped, trace);
    const { readFile } = await import("node:fs/promises");
    const [text, bytes] = [await readFile(plain), await readFile(zipped)];
    expect(text.toString().startsWith("a 0 0\na 1 1\n")).toBe(true);
    expect(text.toString().endsWith("a 199999 199999\ns end\n")).toBe(true);
    expect([...bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    for (const path of [plain, zipped]) expect((await readTrace(path)).trace.digest).toBe(trace.digest);
  });

  it("says where it cannot write", async () => {
    const path = join(folder, "no", "folder.trace");
    const trace = new TraceBuilder("t").build();
    expect(await messageOf(writeTextTrace(path, trace))).toContain("no such file");
  });
});
