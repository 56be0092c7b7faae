/**
 * Damage of every reader that a person or a machine once did on purpose: wrong beginnings, sizes of 10 GB, negative numbers, NUL
 * bytes, lengths that lie, bombs. The random damage, 200 cases and more for each sample, is in samples.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { readTrace } from "../read-trace.js";
import { summarise } from "../trace-summary.js";
import type { ReadResult } from "./reader.js";
import { RECORDING_HEADER_BYTES } from "./recording.js";
import { readers } from "./registry.js";

const folder = mkdtempSync(join(tmpdir(), "fraglab-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GB10 = 10_737_418_240;
const PLACE = /^some\.file:(?:\d+| (?:byte|event) \d+): [^\n]*expected [^\n]+$/;

/** What becomes of a file: a pattern of the one line, or the sizes asked for. */
type Case = readonly [what: string, content: string | Buffer, expected: RegExp | readonly number[]];

const bytes = (latin1: string): Buffer => Buffer.from(latin1, "latin1");

/** A record of glibc: thread, type, two pointers, a size. */
function record(type: number, first: bigint, second: bigint, size: bigint, thread = 1): Buffer {
  const data = Buffer.alloc(32);
  data.writeInt32LE(thread, 0);
  data.writeUInt32LE(type, 4);
  data.writeBigUInt64LE(first, 8);
  data.writeBigUInt64LE(second, 16);
  data.writeBigUInt64LE(size, 24);
  return data;
}

/** A number of a .wl file: base 128, the most significant group first. */
function operand(value: number): string {
  let text = String.fromCharCode(value % 128);
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    text = String.fromCharCode(128 + (rest % 128)) + text;
  return text;
}

/** A recording whose header claims so many records, with the given ones behind it: kind, address, size. */
function recording(claimed: number, recordBytes: number, ...records: readonly (readonly number[])[]): Buffer {
  const head = Buffer.alloc(RECORDING_HEADER_BYTES);
  head.write("\x89FGR\r\n\x1a\n", "latin1");
  head.writeUInt32LE(1, 8);
  head.writeUInt32LE(recordBytes, 12);
  head.writeBigUInt64LE(BigInt(claimed), 24);
  const body = records.map(([kind = 0, address = 0, size = 0]) => {
    const data = Buffer.alloc(16);
    data.writeUInt32LE(address, 0);
    data[6] = kind;
    data.writeBigUInt64LE(BigInt(size), 8);
    return data;
  });
  return Buffer.concat([head, ...body]);
}

const umpire = (size: string): string =>
  `{"kind":"replay","uid":1,"timestamp":1,"event":"allocate","payload":{"allocator_ref":"0x1","size":${size}},"result":{"memory_ptr":"0x10"}}\n`;
const torch = (fields: string): string => `{"device_traces":[[{"action":"alloc",${fields},"stream":0}]]}`;

const cases: Readonly<Record<string, readonly Case[]>> = {
  text: [
    ["a wrong beginning", "allocations:\na 0 8\n", /:1: "allocations:": expected/],
    ["a size of 10 GB", `a 0 ${GB10}\n`, [GB10]],
    ["a size no double holds", "a 0 8\nr 0 99999999999999999999\n", /:2: .*whole numbers from 0 to 9007199254740991/],
    ["a negative id", "a 0 8\na -7 8\n", /:2: "a -7 8": expected "a ID SIZE/],
    ["a negative size", "a 0 -10737418240\n", /:1: negative size -10737418240: expected/],
    ["an id of 10 billion", `a ${GB10} 8\nf ${GB10}\n`, [8, 0]],
    ["a thread of 10 billion", `t ${GB10}\na 0 8\n`, /:1: .*expected "t THREAD"/],
    ["NUL bytes", "a 0 8\n\0\0\0\0\nf 0\n", /:2: "\\u0000.*expected an operation/],
    ["a NUL within a number", "a 0 8\nf \x000\n", /:2: .*expected "f ID"/],
    ["a cut line", "a 0 8\na 1", /:2: "a 1": expected/],
    ["carriage returns alone", "a 0 8\rf 0\r", /:1: "a 0 8\\rf 0": expected/],
  ],
  cheri: [
    ["a wrong beginning", "mallloc(8) = addr<1>\n", /:1: .*expected "malloc\(8\) = addr<1>"/],
    ["a size of 10 GB", `malloc(${GB10}) = addr<1>\n`, [GB10]],
    ["a size no double holds", "malloc(99999999999999999999) = addr<1>\n", /:1: .*expected a size from 0/],
    ["a negative number of a block", "malloc(8) = addr<-1>\n", /:1: /],
    ["a negative size", "malloc(8) = addr<1>\nmalloc(-8) = addr<2>\n", /:2: /],
    ["NUL bytes", "malloc(8) = addr<1>\n\0\0\0\n", /:2: /],
    ["a cut line", "malloc(8) = addr<1>\nfree(addr<", /:2: /],
  ],
  "wee-alloc": [
    ["a wrong beginning", "alloc 8\n", /:1: .*expected "Alloc\(SIZE\),"/],
    ["a size of 10 GB", `Alloc(${GB10}),\n`, [GB10]],
    ["a size no double holds", "Alloc(99999999999999999999),\n", /:1: .*expected a size from 0/],
    ["a negative index", "Alloc(8),\nFree(-1),\n", /:2: /],
    ["an index of 10 billion", `Alloc(8),\nFree(${GB10}),\n`, [8]],
    ["NUL bytes", "Alloc(8),\n\0\0\n", /:2: /],
    ["a cut line", "Alloc(8),\nAlloc(1", /:2: /],
  ],
  mtrace: [
    ["a wrong beginning", "Start\n@ x + 0x10 0x8\n", /:1: .*expected "@ WHERE \+ 0xADDRESS 0xSIZE"/],
    ["a size of 10 GB", "= Start\n@ x + 0x10 0x280000000\n", [GB10]],
    ["a size no double holds", "= Start\n@ x + 0x10 0xffffffffffffffff\n", /:2: .*expected a size from 0/],
    ["a reallocation to it", "@ x < 0x10\n@ x > 0x20 0xffffffffffffffff\n", /:2: .*expected a size below/],
    ["a negative size", "= Start\n@ x + 0x10 0x-8\n", /:2: /],
    ["an address without end", `= Start\n@ x - 0x${"f".repeat(40)}\n`, /:2: /],
    ["NUL bytes", "= Start\n\0\0\n", /:2: /],
    ["a cut line", "= Start\n@ x + 0x10 0x8\n@ x + 0x", /:3: /],
  ],
  "jemalloc-utrace": [
    ["a size of 10 GB", `1 p USER 0x10 = malloc(${GB10})\n`, [GB10]],
    ["a size no double holds", "1 p USER 0x10 = malloc(99999999999999999999)\n", /:1: .*expected a size from 0/],
    ["a negative size", "1 p USER 0x10 = malloc(8)\n1 p USER 0x20 = malloc(-8)\n", /:2: /],
    ["a call without a result", "1 p USER malloc(8)\n", /:1: .*expected "0xADDRESS = malloc\(SIZE\)"/],
    ["NUL bytes", "1 p USER 0x10 = malloc(8)\n\0\0\n1 p USER free(0x10)\n", [8, 0]],
    ["a cut line", "1 p USER 0x10 = malloc(8)\n1 p USER free(0x1", [8]],
  ],
  ltrace: [
    ["a size of 10 GB", `p->malloc(${GB10}) = 0x10\n`, [GB10]],
    ["a size no double holds", "p->malloc(99999999999999999999) = 0x10\n", /:1: .*expected a size from 0/],
    ["a product no double holds", "p->calloc(4294967296, 4294967296) = 0x10\n", /:1: .*expected a size from 0/],
    ["a negative size", "p->malloc(8) = 0x10\np->malloc(-8) = 0x20\n", /:2: /],
    ["a call that nobody began", "1 <... malloc resumed> ) = 0x10\n", /:1: .*expected an unfinished call of malloc/],
    ["NUL bytes", "p->malloc(8) = 0x10\n\0\0\np->free(0x10) = <void>\n", [8, 0]],
    ["a cut line", "p->malloc(8) = 0x10\np->malloc(8", /:2: .*expected a call such as/],
  ],
  valgrind: [
    ["a size of 10 GB", `--1-- malloc(${GB10}) = 0x10\n`, [GB10]],
    ["a size no double holds", "--1-- malloc(99999999999999999999) = 0x10\n", /:1: .*expected a size from 0/],
    ["a product no double holds", "--1-- calloc(4294967296,4294967296) = 0x10\n", /:1: .*expected a size from 0/],
    ["a negative size", "--1-- malloc(8) = 0x10\n--1-- malloc(-8) = 0x20\n", /:2: /],
    ["no address", "--1-- free(nowhere)\n", /:1: .*expected an address such as/],
    ["a process of 10 billion", `--${GB10}-- malloc(8) = 0x10\n`, [8]],
    ["NUL bytes", "--1-- malloc(8) = 0x10\n\0\0\n--1-- free(0x10)\n", [8, 0]],
    ["a cut line", "--1-- malloc(8) = 0x10\n--1-- malloc(8", /:2: .*expected a call such as/],
  ],
  "memory-replay": [
    ["a wrong beginning", "thread: malloc 0x10 8\n", /:1: .*expected "TID: malloc PTR SIZE"/],
    ["a size of 10 GB", `1: malloc 0x10 ${GB10}\n`, [GB10]],
    ["a size no double holds", "1: malloc 0x10 99999999999999999999\n", /:1: .*expected a size from 0/],
    ["a negative thread", "1: malloc 0x10 8\n-1: free 0x10\n", /:2: /],
    ["a negative size", "1: malloc 0x10 -8\n", /:1: /],
    ["NUL bytes", "1: malloc 0x10 8\n\0\0\n", /:2: /],
    ["a cut line", "1: malloc 0x10 8\n1: realloc 0x20 0x10", /:2: /],
  ],
  umpire: [
    ["a wrong beginning", `{"kind":"replay"\n`, /:1: .*expected one JSON object/],
    ["a size of 10 GB", umpire(String(GB10)), [GB10]],
    ["a size no double holds", umpire("1e300"), /:1: .*expected a size from 0/],
    ["a negative size", umpire("8") + umpire("-8"), /:2: .*expected a size from 0/],
    ["a size in words", umpire(`"many"`), /:1: .*expected a size and a pointer/],
    ["NUL bytes", `${umpire("8")}\0\0\n`, /:2: .*expected one JSON object/],
    ["a cut line", umpire("8") + umpire("8").slice(0, 60), /:2: .*expected one JSON object/],
    ["brackets without end", "[".repeat(60_000), /:1: .*expected one JSON object/],
  ],
  heaptrack: [
    ["a wrong beginning", "w 10400 3\n", /:1: .*expected a record of heaptrack/],
    ["a size of 10 GB", "v 10400 3\n+ 280000000 0 10\n", [GB10]],
    ["a size no double holds", "v 10400 3\n+ ffffffffffffffff 0 10\n", /:2: .*expected a size from 0/],
    ["a negative size", "v 10400 3\n+ -8 0 10\n", /:2: /],
    ["a class of 10 billion", "v 10400 3\na 8 0\n+ 280000000\n", /:3: .*expected the number of a class/],
    ["a caller of itself", "v 10400 3\nt 10 1\n+ 8 1 10\n", [8]],
    ["a caller of 10 billion", "v 10400 3\nt 10 280000000\n+ 8 1 10\n", [8]],
    ["NUL bytes", "v 10400 3\n\0\0\n", /:2: /],
    ["a cut line", "v 10400 3\n+ 8 0 10\n- ", /:3: /],
  ],
  pytorch: [
    ["a wrong beginning", "segments", / byte 0: .*expected/],
    ["a size of 10 GB", torch(`"addr":16,"size":${GB10}`), [GB10]],
    ["a size no double holds", torch(`"addr":16,"size":1e300`), / event 0: .*expected a size from 0/],
    ["a negative address", torch(`"addr":-16,"size":8`), / event 0: .*expected two whole numbers/],
    ["a negative size", torch(`"addr":16,"size":-8`), / event 0: .*expected a size from 0/],
    ["NUL bytes", `{"device_traces":\0[]}`, / byte \d+: .*expected a snapshot as whole JSON/],
    ["JSON that is cut", torch(`"addr":16,"size":8`).slice(0, 40), / byte \d+: .*expected a snapshot as whole JSON/],
    ["brackets without end", "[".repeat(200_000), / byte \d+: .*expected a snapshot as whole JSON/],
    ["a text of 10 GB in a pickle", bytes("\x80\x04\x8d\x00\x00\x00\x80\x02\x00\x00\x00abc"), / byte 2: .*cut short/],
    ["a number of 255 bytes in a pickle", bytes("\x80\x04\x8a\xffabc"), / byte 2: .*cut short/],
    ["a memo that is empty", bytes("\x80\x04h\x07."), / byte 2: .*expected an entry that was set before/],
    ["a list that holds itself", bytes("\x80\x04]\x94h\x00a."), / byte \d+: .*expected what torch/],
    ["marks without end", bytes(`\x80\x04${"(".repeat(100_000)}.`), / byte \d+: .*expected a value on the stack/],
    ["GLOBAL", bytes("\x80\x02cos\nsystem\n."), / byte 2: "?opcode GLOBAL, which would run code/],
    ["REDUCE", bytes("\x80\x02)R."), / byte 3: "?opcode REDUCE, which would run code/],
  ],
  "glibc-records": [
    ["a type that is none", record(7, 0n, 16n, 8n), / byte 0: .*expected a type from 0 to 6/],
    ["a size of 10 GB", record(1, 0n, 16n, BigInt(GB10)), [GB10]],
    ["a size no double holds", record(1, 0n, 16n, (1n << 64n) - 1n), / byte 0: .*expected a size from 0/],
    ["a negative thread", record(1, 0n, 16n, 8n, -1), [8]],
    ["NUL bytes", Buffer.concat([record(1, 0n, 16n, 8n), Buffer.alloc(64), record(3, 16n, 0n, 0n)]), [8, 0]],
    ["a cut record", Buffer.concat([record(1, 0n, 16n, 8n), record(3, 16n, 0n, 0n).subarray(0, 9)]), [8]],
  ],
  "glibc-workload": [
    ["a wrong code", bytes("\x63"), / byte 0: .*expected a code from 0 to 11/],
    ["10 billion slots", bytes(`\x08${operand(GB10)}\x02\x01\x08\x01`), [8]],
    ["a size of 10 GB", bytes(`\x02\x01${operand(GB10)}\x01`), [GB10]],
    ["a number without end", bytes(`\x02\x01${"\xff".repeat(5000)}`), / byte 0: .*expected a code from 0 to 11/],
    ["a slot beyond the header", bytes("\x08\x02\x02\x05\x08\x01"), / byte 2: .*expected a slot up to 2/],
    ["a thread beyond the file", bytes(`\x0b${operand(GB10)}\x01`), / byte 0: .*expected a place in the file/],
    ["a thread that waits for ever", bytes("\x07\x05\x01"), / byte 0: .*expected a sync write/],
    ["NUL bytes", Buffer.concat([bytes("\x02\x01\x08"), Buffer.alloc(1000), bytes("\x01")]), [8]],
    ["a cut end", bytes("\x02\x01"), / byte 0: /],
  ],
  recording: [
    ["a wrong beginning", Buffer.alloc(5000, 7), / byte 0: .*expected magic number/],
    ["records of 10 GB", recording(1, 0x80000000), / byte 0: .*expected magic number/],
    ["10 billion records claimed", recording(GB10, 16, [1, 16, 8]), [8]],
    ["a size of 10 GB", recording(1, 16, [1, 16, GB10]), [GB10]],
    ["a kind that is none", recording(2, 16, [1, 16, 8], [99, 16, 8]), / byte 4112: .*expected a kind from 0 to 6/],
    ["an end without a beginning", recording(1, 16, [4, 16, 8]), / byte 4096: .*expected its beginning before it/],
    ["NUL bytes", recording(3, 16, [1, 16, 8], [0, 0, 0], [2, 16, 0]), [8, 0]],
    ["a cut header", recording(1, 16).subarray(0, 100), / byte 0: .*expected 4096 bytes/],
  ],
};

function read(format: string, content: string | Buffer, lenient: boolean): ReadResult {
  const reading = readers.find(({ name }) => name === format)?.read({ file: "some.file", name: "some", lenient });
  if (reading === undefined) throw new Error(`no reader ${format}`);
  reading.push(Buffer.from(content));
  return reading.finish();
}

const all = Object.entries(cases).flatMap(([format, list]) =>
  list.map(([what, content, expected]) => ({ format, what, content, expected })),
);

describe("a file with", () => {
  it("has cases for every reader", () => {
    expect(Object.keys(cases).sort()).toEqual(readers.map(({ name }) => name).sort());
    for (const list of Object.values(cases)) expect(list.length).toBeGreaterThanOrEqual(6);
  });

  it.each(all)(
    "$what, taken for $format, gives its events or one line with the place",
    ({ format, content, expected }) => {
      if (expected instanceof RegExp) {
        let caught: unknown;
        try {
          read(format, content, false);
        } catch (error) {
          caught = error;
        }
        expect(caught).toBeInstanceOf(InputError);
        expect((caught as InputError).message).toMatch(PLACE);
        expect((caught as InputError).message).toMatch(expected);
        // Leniently it is dropped and counted.
        expect(Object.keys(read(format, content, true).report.dropped).length).toBeGreaterThan(0);
      } else {
        const { trace } = read(format, content, false);
        expect([...trace.size]).toEqual(expected);
        expect(summarise(trace).peakLiveBytes).toBe(Math.max(...expected));
      }
    },
  );

  it.each(readers)("8 MB of nothing in a gzip is refused by its limit, taken for $name", async ({ name: format }) => {
    for (const byte of ["\0", "\n"]) {
      const path = join(folder, `${format}.bomb`);
      writeFileSync(path, gzipSync(Buffer.alloc(8_000_000, byte, "latin1"), { level: 1 }));
      const outcome = await readTrace(path, { format, maxUnpacked: 1_000_000 }).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(InputError);
      expect((outcome as InputError).message).toMatch(
        /unpacks to more than 1000000 bytes: expected less|a line of over 65536 bytes: expected|byte \d+: .*expected/,
      );
      if (byte === "\n" && !/^glibc|recording/.test(format))
        expect((outcome as InputError).message).toContain("unpacks to more than 1000000 bytes");
    }
  });
});
