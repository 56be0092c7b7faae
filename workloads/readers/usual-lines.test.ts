/** The readers that take their usual lines as bytes read them as they read the same lines with a carriage return, as text. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { contentsOf } from "../trace.properties.js";
import { ByteNames } from "./byte-names.js";
import { heaptrack } from "./heaptrack.js";
import { memoryReplay } from "./memory-replay.js";
import { mtrace } from "./mtrace.js";
import type { TraceReader } from "./reader.js";
import { valgrind } from "./valgrind.js";

const addresses = ["0", "10", "4a41040", "4A41040", "7f0012345678", "ffff800000000010", "1234567890abcde", "xyz"];
const sizes = ["0", "1", "24", "1f", "9007199254740991", "9007199254740993", "123456789012345678901", "-1", ""];
const address = fc.constantFrom(...addresses, ...addresses.slice(1, 4), "10", "10");
const size = fc.constantFrom(...sizes, "8", "16", "100");
const line = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((words) => words.join(""));
const place = fc.constantFrom(
  "",
  "./demo:[0x1233]",
  "a place + 0x10 - ",
  "x<0x10",
  " lead",
  "trail ",
  "caf\u00e9",
  "a\rb",
);
const process = fc.constantFrom("12", "12", "12", "345", "", "1234567890123456");

const formats: readonly (readonly [reader: TraceReader, first: string, lines: fc.Arbitrary<string>])[] = [
  [
    mtrace,
    "= Start",
    fc.oneof(
      line("@ ", place, " + 0x", address, " 0x", size),
      line("@ ", place, " + 0x", address, " ", size),
      line("@ ", place, " - 0x", address),
      line("@ ", place, " < 0x", address, "\n@ x > 0x", address, " 0x", size),
      line("@ ", place, "+0x", address, "\t0x", size),
      line("- 0x", address),
    ),
  ],
  [
    valgrind,
    "==12== Memcheck",
    fc.oneof(
      line("--", process, "-- malloc(", size, ") = 0x", address),
      line("--", process, "-- _Znwm(", size, ") = 0x", address),
      line("--", process, "-- calloc(", size, ",", size, ") = 0x", address),
      line("--", process, "-- memalign(al 64, size ", size, ") = 0x", address),
      line("--", process, "-- free(0x", address, ")"),
      line("--", process, "-- _ZdlPvm(0x", address, ")"),
      line("--", process, "-- realloc(0x", address, ",", size, ") = 0x", address),
      line("--", process, "-- realloc(0x", address, ",", size, ")free(0x", address, ")"),
      line("--", process, "--  = 0x", address),
      line("--", process, "-- malloc(", size, ") = 0x", address, " "),
    ),
  ],
  [
    memoryReplay,
    "1: malloc 0x10 8",
    fc.oneof(
      line(process, ": malloc 0x", address, " ", size),
      line(process, ": malloc 0x", address, " ", size, " ", size, " ", size),
      line(process, ": malloc 0x", address, " ", size, " 5"),
      line(process, ": free 0x", address),
      line(process, ": free 0x", address, " ", size, " 7"),
      line(process, ": realloc 0x", address, " 0x", address, " ", size),
      line(process, ": calloc 0x", address, " 3 ", size),
    ),
  ],
  [
    heaptrack,
    "v 10400 3",
    fc.oneof(
      line("+ ", size, " ", fc.constantFrom("0", "1", "7", ""), " ", address),
      line("- ", address),
      line("+ ", size),
      line("a ", size, " 1"),
      line("+ ", size, " 1 ", address, " more"),
      fc.constantFrom("t 4012b4 0", "t 4011ef 1", "c 12", "s 4 main", "nonsense"),
    ),
  ],
];

function outcomeOf(reader: TraceReader, text: string, lenient: boolean, chunk: number): unknown {
  const bytes = Buffer.from(text, "latin1");
  try {
    const reading = reader.read({ file: "some.log", name: "some", lenient });
    // As from a file: what was pushed is overwritten by what comes next.
    const buffer = Buffer.alloc(chunk);
    for (let at = 0; at < bytes.length; at += chunk)
      reading.push(buffer.subarray(0, bytes.copy(buffer, 0, at, at + chunk)));
    buffer.fill(0xff);
    const { trace, report } = reading.finish();
    return { contents: contentsOf(trace), report };
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
}

describe("a usual line", () => {
  it.each(formats.map(([reader, first, lines]) => ({ name: reader.name, reader, first, lines })))(
    "of $name means the same as bytes and as text",
    ({ reader, first, lines }) => {
      const check = (all: string[], lenient: boolean, chunk: number): void => {
        const text = [first, ...all].join("\n");
        const careful = outcomeOf(reader, `${text.replaceAll("\n", "\r\n")}\r\n`, lenient, chunk);
        expect(outcomeOf(reader, `${text}\n`, lenient, chunk)).toEqual(careful);
      };
      fc.assert(fc.property(fc.array(lines, { maxLength: 30 }), fc.boolean(), fc.integer({ min: 1, max: 99 }), check), {
        numRuns: 400,
      });
    },
  );

  it("of valgrind and memory_replay is taken whatever the blanks and digits before it", () => {
    const text = "--7-- malloc(24) = 0x4A41040\n--7-- free(0x4A41040)\n";
    expect(outcomeOf(valgrind, text, false, 99)).toMatchObject({ report: { events: 2, dropped: {}, ignored: {} } });
    const replay = "7: malloc 0x10 24 100 200\n7: free 0x10 300 400\n";
    expect(outcomeOf(memoryReplay, replay, false, 99)).toMatchObject({ report: { events: 2, dropped: {} } });
  });
});

describe("names in bytes", () => {
  it("have the numbers that a map of strings gives, however many", () => {
    const names = new ByteNames();
    const expected = new Map<string, number>();
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "+", " "), maxLength: 9 }), { maxLength: 3000 });
    fc.assert(
      fc.property(texts, (all) => {
        for (const text of all) {
          if (!expected.has(text)) expected.set(text, expected.size);
          const bytes = Buffer.from(`..${text}..`);
          const fresh = (name: Uint8Array): number => expected.get(Buffer.from(name).toString()) ?? -1;
          expect(names.find(bytes, 2, bytes.length - 2, fresh)).toBe(expected.get(text));
        }
      }),
      { numRuns: 20 },
    );
    // Known ones are not asked for again.
    for (const [text, number] of expected) {
      const bytes = Buffer.from(text);
      expect(names.find(bytes, 0, bytes.length, () => -1)).toBe(number);
    }
  });
});
