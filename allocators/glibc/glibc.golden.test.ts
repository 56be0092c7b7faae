/** The model against the real glibc 2.36: every place, usable size and move of the break of the golden runs. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import type { Allocator, Ref } from "../allocator.js";
import { check } from "../checked.js";
import { glibc } from "./glibc.js";
import { ANSWERS, GoldenOp, type GoldenRun, goldenRuns, NOWHERE, unpackAnswers } from "./golden-runs.js";

/** Reservations start here, and the heap with them; mappings of their own lie below. */
const HEAP = 1 << 30;

const recorded = unpackAnswers(gunzipSync(readFileSync(fileURLToPath(new URL("golden/answers.gz", import.meta.url)))));

function heapPages(space: AddressSpace): number {
  let pages = 0;
  space.regions((start, bytes, use) => {
    if (start >= HEAP && use === Use.heap) pages += bytes / 4096;
  });
  return pages;
}

function step(heap: Allocator, op: number, ref: Ref, size: number, alignment: number): Ref | undefined {
  if (op === GoldenOp.malloc) return heap.allocate(size);
  if (op === GoldenOp.memalign) return heap.allocate(size, alignment);
  if (op === GoldenOp.realloc) return heap.reallocate(ref, size);
  heap.free(ref);
  return undefined;
}

/** The first operation that the model answers otherwise, as text; undefined where there is none. */
function firstDifference(
  run: GoldenRun,
  answers: Int32Array,
  heap: Allocator,
  space: AddressSpace,
): string | undefined {
  const { operations } = run;
  const refs: Ref[] = [];
  for (let i = 0; 4 * i < operations.length; i++) {
    const [op, slot, size, alignment] = operations.subarray(4 * i, 4 * i + 4);
    const ref = step(heap, op, refs[slot], size, alignment);
    if (ref !== undefined) refs[slot] = ref;
    const place = ref === undefined ? NOWHERE : ref >= HEAP ? (ref - HEAP) / 16 : -1 - (ref % 4096) / 16;
    const got = [place, ref === undefined ? 0 : heap.capacityOf(ref), heapPages(space)];
    const expected = answers.subarray(ANSWERS * i, ANSWERS * i + ANSWERS);
    if (got.join() !== expected.join()) {
      return `operation ${i} (${op}, slot ${slot}, ${size} bytes, alignment ${alignment}): ${got.join()}, glibc ${expected.join()}`;
    }
  }
  return undefined;
}

describe("glibc against the recorded C library", () => {
  it("has an answer to every operation", () => {
    expect(recorded.map((answers) => answers.length / ANSWERS)).toEqual(
      goldenRuns.map(({ operations }) => operations.length / 4),
    );
  });

  goldenRuns.forEach((run, i) => {
    it(`places every chunk and moves the break as the C library does: ${run.name}`, () => {
      const space = createAddressSpace();
      expect(firstDifference(run, recorded[i], glibc.create(space, run.options), space)).toBeUndefined();
    });
  });

  it("is seen to differ where an option is not the recorded one", () => {
    const space = createAddressSpace();
    const heap = glibc.create(space, { tcacheCount: 6 });
    expect(firstDifference(goldenRuns[0], recorded[0], heap, space)).toMatch(/^operation \d+ /);
  });

  it("keeps contents and account through the runs with reallocations and alignments", () => {
    for (const name of ["mixed", "large", "aligned"]) {
      const run = goldenRuns.find((one) => one.name === name);
      if (run === undefined) throw new Error(name);
      const space = createAddressSpace();
      const heap = check(glibc, glibc.create(space, run.options), space);
      const short = { ...run, operations: run.operations.subarray(0, name === "large" ? 400 : 4000) };
      const answers = recorded[goldenRuns.indexOf(run)];
      expect(firstDifference(short, answers, heap, space)).toBeUndefined();
      heap.audit();
    }
  });
});
