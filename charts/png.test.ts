import { createHash } from "node:crypto";
import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexedPng } from "./png.js";

const palette = Uint8Array.from({ length: 768 }, (_, i) => i & 255);

/** The chunks of a PNG, each checked against its CRC. */
function chunks(png: Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
  const found = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    found.set(body.subarray(0, 4).toString("latin1"), body.subarray(4));
    at += 12 + length;
  }
  return found;
}

function rowsOf(png: Uint8Array): Buffer {
  return inflateSync(chunks(png).get("IDAT") ?? Buffer.alloc(0));
}

describe("a palette PNG", () => {
  it("holds its size, its palette and, by zlib's own account, its indices", () => {
    const indices = fc.oneof(
      fc.uint8Array({ minLength: 60, maxLength: 60 }),
      fc.array(fc.constantFrom(0, 200, 255), { minLength: 60, maxLength: 60 }).map((a) => Uint8Array.from(a)),
    );
    fc.assert(
      fc.property(indices, fc.constantFrom(1, 6, 20, 60), (cells, width) => {
        const png = indexedPng(width, 60 / width, cells, palette);
        const rows = rowsOf(png);
        for (let y = 0; y < 60 / width; y++) {
          expect(rows[y * (width + 1)]).toBe(0);
          expect([...rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1))]).toEqual([
            ...cells.subarray(y * width, (y + 1) * width),
          ]);
        }
        expect(chunks(png).get("IHDR")?.toString("hex")).toMatch(/^[0-9a-f]{16}0803000000$/);
        expect(Uint8Array.from(chunks(png).get("PLTE") ?? [])).toEqual(palette);
      }),
    );
  });

  it("is compressed, also over distances up to the window", () => {
    const side = 400;
    const cells = Uint8Array.from(
      { length: side * side },
      (_, i) => ((i % side) * 7919 + ((i / side) >> 6) * 31) & 255,
    );
    const png = indexedPng(side, side, cells, palette);
    expect(png.length).toBeLessThan(cells.length / 20);
    expect(rowsOf(png).length).toBe((side + 1) * side);
    const flat = indexedPng(side, side, new Uint8Array(side * side), palette);
    expect(flat.length).toBeLessThan(2200);
  });

  it("is the same on every machine", () => {
    const cells = Uint8Array.from({ length: 10_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 27) & 255);
    const hash = createHash("sha256")
      .update(indexedPng(100, 100, cells, palette))
      .digest("hex");
    expect(hash).toMatchInlineSnapshot(`"33ae2f7903fc5f9ea3f041d7d61be4d367ae6516a0826cad48f606c99da7d4b5"`);
  });
});
