import { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomFor } from "../memory/random.js";
import { packBlock } from "./trace-pack.js";

function noise(length: number): Uint8Array {
  const random = randomFor("noise", 1);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** The part of a deflate stream that its first byte begins is stored: RFC 1951, 3.2.3. */
const isStored = (packed: Uint8Array): boolean => ((packed[0] ?? 0) & 6) === 0;

describe("a packed block", () => {
  it("inflates as one stream to the parts one after the other", async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1000, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
      fc.integer({ min: 1000, max: 140_000 }).map(noise),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), async (parts) => {
        expect(inflateRawSync(await packBlock(parts)).equals(Buffer.concat(parts))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("has what deflate does not shrink as it is, and what it does deflated", async () => {
    const random = noise(100_000);
    const packed = await packBlock([random]);
    expect(isStored(packed)).toBe(true);
    expect(packed.length - random.length).toBeLessThan(30);
    const even = await packBlock([new Uint8Array(100_000)]);
    expect(isStored(even)).toBe(false);
    expect(even.length).toBeLessThan(200);
    expect((await packBlock([random, new Uint8Array(100_000)])).length - random.length).toBeLessThan(230);
  });

  it("spends no run of its own on a short part", async () => {
    const short = Array.from({ length: 8 }, (_, i) => Uint8Array.of(i));
    expect((await packBlock(short)).length).toBe((await packBlock([Buffer.concat(short)])).length);
  });
});
