import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { InputError } from "../../memory/errors.js";
import { none, type Ref } from "../allocator.js";
import type { PymallocOptions } from "./options.js";
import { type PymallocAllocator, pymalloc } from "./pymalloc.js";

const heapOf = (options: Partial<PymallocOptions>): PymallocAllocator => pymalloc.create(createAddressSpace(), options);
const many = (heap: PymallocAllocator, size: number, times: number): Ref[] =>
  Array.from({ length: times }, () => heap.allocate(size));

describe("pymalloc options", () => {
  it.each([
    [{ pool: 5000 }, /^pymalloc: option pool: 5000 is not a power of two; the nearest are 4096 and 8192$/],
    [{ arena: 100_000 }, /^pymalloc: option arena: 100000 is not a power of two/],
    [{ pool: 1024 }, /option pool: 1024 bytes do not hold two blocks of 512 bytes/],
    [{ pool: 65536, arena: 32768 }, /option arena: 32768 bytes are less than a pool of 65536: use 131072 or more/],
    [{ pool: 65536, arena: 65536 }, /an arena of 65536 bytes has 1 of the 2 pools it needs: use 131072 or more/],
    [{ pool: 16384, arena: 32768, base: "page" }, /base=page an arena of 32768 bytes has 1 .* use 65536 or more/],
    [{ pool: 2048, arena: 2048 }, /option arena: 2048 bytes are less than a page/],
    [
      { variant: "cpython-3.9", pool: 16384 },
      /cpython-3.9 finds the owner .* use at most 4096, or variant=cpython-3.10/,
    ],
    [{ pool: 2 << 20 }, /option pool: "2097152" is not a whole number from 0 to 1048576/],
    [{ variant: "3.10" }, /option variant: "3.10" is not one of cpython-3.7, /],
    [{ align: 12 }, /^pymalloc: option align: 12 is neither 8 nor 16$/],
    [{ threshold: 500 }, /^pymalloc: option threshold: 500 is not a multiple of the alignment 16$/],
    [{ threshold: 4096 }, /option threshold: "4096" is not a whole number from 8 to 2048/],
    [
      { threshold: 1024, pool: 2048 },
      /option pool: 2048 bytes do not hold two blocks of 1024 bytes .* use 4096 or more/,
    ],
    [{ step: 24 }, /^pymalloc: option step: 24 is not a multiple of the alignment 16$/],
    [{ spacing: "listed" }, /^pymalloc: option spacing: listed needs sizes, such as/],
    [{ spacing: "listed", sizes: "16,32" }, /option sizes: "16,32" is not a list of sizes such as/],
    [{ spacing: "listed", sizes: "16+40+512" }, /option sizes: 40 is not a multiple of the alignment 16$/],
    [{ spacing: "listed", sizes: "32+16+512" }, /option sizes: 16 follows 32: give them ascending$/],
    [{ spacing: "listed", sizes: "0+512" }, /option sizes: 0 is not a multiple of the alignment 16$/],
    [{ spacing: "listed", sizes: "16+32" }, /option sizes: the largest is 32, the threshold 512: make them equal$/],
    [{ spacing: "fitted" }, /option spacing: fitted is fitted to a trace, and there is none here/],
    [{ misalign: 8 }, /option misalign: 8 is not a multiple of the alignment 16$/],
    [{ arena: 65536, misalign: 65536 }, /option misalign: 65536 bytes are not less than the arena of 65536$/],
    [{ arena: 32768, misalign: 4096 }, /with base=aligned and misalign=4096 an arena of 32768 bytes has 1 of the 2/],
    [{ outer: "first-fit/growth" }, /option outer: "first-fit\/growth" is not an allocator such as/],
    [{ outer: "frist-fit" }, /^unknown allocator in option outer of pymalloc "frist-fit": did you mean "first-fit"\?$/],
    [{ outer: "first-fit/growht=1M" }, /^unknown option of first-fit "growht": did you mean "growth"\?$/],
  ] as const)("that C does not support are refused in one line: %o", (options, message) => {
    const create = (): unknown => heapOf(options as Partial<PymallocOptions>);
    expect(create).toThrow(InputError);
    expect(create).toThrow(message);
  });

  it.each([
    { pool: 2048, arena: 4096 },
    { pool: 1 << 20, arena: 1 << 21 },
    { pool: 1 << 20, arena: 1 << 30, base: "mixed" },
  ] as const)("of the least and the greatest sizes work: %o", (options) => {
    const heap = heapOf(options);
    const refs = [...many(heap, 512, 5000), ...many(heap, 16, 5000)];
    expect(new Set(refs).size).toBe(10_000);
    for (const ref of refs) heap.free(ref);
    expect(heap.allocate(512)).not.toBe(none);
  });
});
