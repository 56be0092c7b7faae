import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { arbitraryTrace, contentsOf } from "../trace.properties.js";
import { summarise } from "../trace-summary.js";
import { traceLines } from "../trace-text-writer.js";
import type { ReadResult } from "./reader.js";
import { text } from "./text.js";

function read(content: string | Uint8Array, lenient = false, chunk = 1 << 20): ReadResult {
  const bytes = Buffer.from(content);
  const reading = text.read({ file: "some.trace", name: "some", lenient });
  for (let at = 0; at < bytes.length; at += chunk) reading.push(bytes.subarray(at, at + chunk));
  return reading.finish();
}

/** The events as the samples write them: ids in the order of allocation, never used again. */
function opsOf(trace: Trace): string {
  const letters = { [Op.allocate]: "a", [Op.free]: "f", [Op.reallocate]: "r" } as Record<number, string>;
  const idOfSlot = new Map<number, number>();
  let born = 0;
  const lines = Array.from({ length: trace.length }, (_, i) => {
    const code = trace.op[i] & OP_MASK;
    if (code === Op.allocate) idOfSlot.set(trace.slot[i], born++);
    const size = code === Op.free ? "" : ` ${trace.size[i]}`;
    return `${letters[code]} ${idOfSlot.get(trace.slot[i])}${size}\n`;
  });
  return lines.join("");
}

const folder = join(import.meta.dirname, "samples");
const samples = readdirSync(folder).filter((file) => file.startsWith("tiny-"));
const expected = JSON.parse(readFileSync(join(folder, "expected", "expected.json"), "utf8"));

describe("the samples", () => {
  it("are seven", () => {
    expect(samples).toHaveLength(7);
  });

  it.each(samples)("%s gives the expected events and totals", (file) => {
    const name = file.replace(/\.\w+$/, "");
    const content = readFileSync(join(folder, file));
    expect(text.recognises(content)).toBe(true);
    const { trace, report } = read(content);
    expect(opsOf(trace)).toBe(readFileSync(join(folder, "expected", `${name}.ops`), "utf8"));
    const summary = summarise(trace);
    const { ops, allocs, peakLiveBytes, endLiveBytes, endLiveBlocks, dropped } = expected[name];
    expect(summary).toMatchObject({ events: ops, allocations: allocs, peakLiveBytes, endLiveBytes, endLiveBlocks });
    const counts = Object.fromEntries(Object.entries(report.dropped).map(([kind, finding]) => [kind, finding.count]));
    expect(counts).toEqual(dropped);
    expect(report.notes).toEqual([]);
  });
});

describe("the text form", () => {
  it("has alignments, accesses, pins, marks and threads", () => {
    const lines =
      "# made by hand\nt 4\na 0 100 64\nx 0\nx 0 9\np 0\nu 0\ns fill the cache\nd deep dump\nt 5\nr 0 50\nf 0\n";
    const { trace, report } = read(lines);
    expect([...trace.op]).toEqual([0 | (2 << 4), 3, 3, 4, 5, 6, 6, 2, 1]);
    expect([...trace.size]).toEqual([100, 1, 9, 0, 0, 0, 0, 50, 0]);
    expect(trace.labels).toEqual(["fill the cache", "deep dump"]);
    expect([[...trace.threads.at], [...trace.threads.id]]).toEqual([
      [0, 7],
      [4, 5],
    ]);
    expect(report).toMatchObject({ format: "text", lines: 12, events: 9, dropped: {}, altered: {}, ignored: {} });
  });

  it("has allocation sites, whose numbers may have gaps and get another name later", () => {
    const { trace } = read(
      "n 7 main;load\nn 2 main;a b\na 0 8 @7\na 1 8 64 @2\na 2 8\nr 1 9 @7\nn 7 end\nr 9 1 @7\nf 0\n",
    );
    expect(trace.sites.names).toEqual(["main;load", "main;a b", "end"]);
    expect([...trace.sites.of]).toEqual([1, 2, 0, 1, 3, 0]);
    expect([...trace.op].map((op) => op >>> 4)).toEqual([0, 2, 0, 0, 0, 0]);
  });

  it("maps ids that are sparse, ever-growing or addresses to dense slots", () => {
    const { trace } = read(
      "a 140737488355328 8\na 9007199254740991 8\na 4194304 8\nf 9007199254740991\na 77 8\nf 140737488355328\n",
    );
    expect([...trace.slot]).toEqual([0, 1, 2, 1, 1, 0]);
    expect(trace.slots).toBe(3);
  });

  it("takes sizes beyond 32 bits", () => {
    expect([...read("a 0 38600000000\nr 0 9007199254740991\n").trace.size]).toEqual([38600000000, 9007199254740991]);
  });

  it.each([
    ["tabs and blanks", " \ta\t0   8 \t\n\t f 0\t\n"],
    ["carriage returns", "a 0 8\r\n\r\nf 0\r\n"],
    ["no line feed at the end", "a 0 8\nf 0"],
    ["a byte order mark", "\ufeffa 0 8\nf 0\n"],
    ["blank lines and comments anywhere", "\n\n# x\n a 0 8\n   # y\n\n f 0\n#"],
    ["a header of four lines", "20000\n1\n2\n1\na 0 8\nf 0\n"],
    ["a header of two lines", "1\n2\na 0 8\nf 0\n"],
  ])("may have %s", (_, content) => {
    expect(text.recognises(Buffer.from(content))).toBe(true);
    expect(opsOf(read(content).trace)).toBe("a 0 8\nf 0\n");
  });

  it("reads the same however the bytes are cut", () => {
    const content = "2\n6\r\na 1 100 32\n\ns größer\nr 1 7\na 2 5\nf 1\nx 2 3\nf 2";
    const whole = contentsOf(read(content).trace);
    for (let chunk = 1; chunk < content.length; chunk++)
      expect(contentsOf(read(content, false, chunk).trace)).toEqual(whole);
  });

  it("drops free(NULL), written f -1, and counts it", () => {
    const { trace, report } = read("a 0 8\nf -1\nf 0\nf -1\n");
    expect(trace.length).toBe(2);
    expect(report.dropped).toEqual({ freeNull: { count: 2, firstLine: 2 } });
  });

  it("makes a reallocation of an unknown id an allocation, and counts it", () => {
    const { trace, report } = read("r 5 8\nr 5 9\nf 5\nr 5 10\n");
    expect(opsOf(trace)).toBe("a 0 8\nr 0 9\nf 0\na 1 10\n");
    expect(report.altered).toEqual({ reallocateOfUnknown: { count: 2, firstLine: 1 } });
  });

  it("lets the old block live for ever when its id is allocated again", () => {
    const { trace, report } = read("a 5 8\na 5 9\nf 5\n");
    expect(opsOf(trace)).toBe("a 0 8\na 1 9\nf 1\n");
    expect(report.altered).toEqual({ allocateOfLive: { count: 1, firstLine: 2 } });
  });

  it("ignores writes and counts them", () => {
    expect(read("a 0 8\nw 0 8\n").report.ignored).toEqual({ write: { count: 1, firstLine: 2 } });
  });

  it("notes a header that announces other operations than there are", () => {
    const notes = ["the header announces 9 operations, the file has 1: it may be cut short"];
    expect(read("0\n1\n9\n0\na 0 8\n").report.notes).toEqual(notes);
  });
});

describe("a line that cannot be right", () => {
  const numbers = "with whole numbers from 0 to 9007199254740991";
  const live = "expected the id of a block that is allocated and not yet freed";
  it.each([
    ["a 0 8\nf 7", `2: free of id 7, which is not live: ${live}`],
    ["a 0 8\nf 0\nf 0", `3: free of id 0, which is not live: ${live}`],
    ["a 0 -8", `1: negative size -8: expected "a ID SIZE [ALIGNMENT] [@SITE]" ${numbers}`],
    ["a 0 8\nr 0 -1", `2: negative size -1: expected "r ID SIZE [@SITE]" ${numbers}`],
    ["a 0", `1: "a 0": expected "a ID SIZE [ALIGNMENT] [@SITE]" ${numbers}`],
    ["a 0 8 16 4", `1: "a 0 8 16 4": expected "a ID SIZE [ALIGNMENT] [@SITE]"`],
    ["n 1 main\na 0 8 @1 4", `2: "a 0 8 @1 4": expected "a ID SIZE [ALIGNMENT] [@SITE]"`],
    ["n 1 main\na 0 8 @x", `2: "a 0 8 @x": expected "a ID SIZE [ALIGNMENT] [@SITE]"`],
    ["n 1 main\na 0 8 @2", `2: "a 0 8 @2": site without a name: expected "n SITE LABEL" on an earlier line`],
    ["a 0 8\nr 0 9 @1", `2: "r 0 9 @1": site without a name`],
    ["n main", `1: "n main": expected "n SITE LABEL" with one line of text`],
    ["n 1", `1: "n 1": expected "n SITE LABEL" with one line of text`],
    ["a 0 8 24", "1: alignment 24: expected a power of two up to 524288"],
    ["a -2 8", `1: "a -2 8": expected`],
    ["a 0 8x", `1: "a 0 8x": expected`],
    ["a 0 1.5", `1: "a 0 1.5": expected`],
    ["a 0 9007199254740992", `1: "a 0 9007199254740992": expected`],
    ["a0 8", `1: "a0 8": expected`],
    ["a 0 8\nf -2", `2: "f -2": expected "f ID" ${numbers}`],
    ["x 0", `1: access of id 0, which is not live: ${live}`],
    ["p 0", `1: pin of id 0, which is not live: ${live}`],
    ["a 0 8\nu 0", `2: unpin of id 0, which is not pinned: expected "p 0" on an earlier line`],
    ["t 4294967296", `1: "t 4294967296": expected "t THREAD"`],
    ["s", `1: "s": expected "s LABEL" with one line of text`],
    ["sLABEL", `1: "sLABEL": expected "s LABEL"`],
    ["a 0 8\nfree 0", `2: "free 0": expected "f ID"`],
    ["q 0", `1: "q 0": expected an operation (a, r, f, x, p, u, t, s, d, w, n) or a comment (#)`],
    ["-5\na 0 8", `1: "-5": expected an operation`],
    ["a 0 8\n12", `2: "12": expected a line with a single number only among the first four lines`],
    ["1\n2\n3\n4\n5\na 0 8", `5: "5": expected a line with a single number only among the first four lines`],
    ["a 0 8\ra 1 8", `1: "a 0 8\\ra 1 8": expected`],
    ["a 0 8\n\u0000\u0001", `2: "\\u0000\\u0001": expected an operation`],
  ])("%j is an error of one line", (content, message) => {
    let caught: unknown;
    try {
      read(content);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InputError);
    const said = (caught as InputError).message;
    expect(said).toContain(`some.trace:${message}`);
    expect(said).toMatch(/; mend the line, or read with --lenient to drop such lines$/);
    expect(said).not.toContain("\n");
  });

  it("is dropped and counted by kind, with its first line, when reading leniently", () => {
    const content = "a 0 8\nf 7\nf 7\na 1 -8\nwhat?\nx 9\na 1 8 3\nu 0\nf 0\n";
    const { trace, report } = read(content, true);
    expect(opsOf(trace)).toBe("a 0 8\nf 0\n");
    expect(report.dropped).toEqual({
      unknownFree: { count: 2, firstLine: 2 },
      negativeSize: { count: 1, firstLine: 4 },
      malformed: { count: 2, firstLine: 5 },
      unknownAccess: { count: 1, firstLine: 6 },
      unknownUnpin: { count: 1, firstLine: 8 },
    });
    expect(report.lines).toBe(9);
  });

  it("is never a crash, whatever the bytes", () => {
    const pieces = fc.constantFrom(
      "a",
      "f",
      "r",
      "x",
      "s",
      "t",
      " ",
      "\t",
      "-",
      "0",
      "1",
      "7",
      "999999",
      "\n",
      "\r\n",
      "#",
      "\0",
      "é",
    );
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(pieces).map((parts) => Buffer.from(parts.join(""))),
    );
    fc.assert(
      fc.property(content, fc.boolean(), (bytes, lenient) => {
        try {
          const { trace, report } = read(bytes, lenient, 7);
          expect(report.events).toBe(trace.length);
        } catch (error) {
          expect(lenient).toBe(false);
          expect(error).toBeInstanceOf(InputError);
          expect((error as InputError).message).toMatch(/^some\.trace:\d+: [^\n]*$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("text of a trace", () => {
  it("reads back to the same trace", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        const { trace: again, report } = read(Buffer.concat([...traceLines(trace)]), false, 64);
        expect(contentsOf(again)).toEqual(contentsOf(trace));
        expect([report.dropped, report.altered, report.ignored]).toEqual([{}, {}, {}]);
      }),
    );
  });
});
