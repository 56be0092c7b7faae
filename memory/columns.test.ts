import { describe, expect, it } from "vitest";
import { grown } from "./columns.js";

describe("a grown column", () => {
  it("is of the same kind, and has what the column had and 0 behind it", () => {
    for (const Column of [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float64Array]) {
      const longer = grown<Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float64Array>(
        Column.from([1, 2, 3]),
        5,
      );
      expect(longer).toStrictEqual(Column.from([1, 2, 3, 0, 0]));
    }
  });

  it("is filled with what is asked for, and shares nothing with the column", () => {
    const column = Int32Array.of(7, 8);
    const longer = grown(column, 4, -1);
    column[0] = 0;
    expect([...longer]).toEqual([7, 8, -1, -1]);
    expect([...grown(column, 2, -1)]).toEqual([0, 8]);
  });
});
