import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdTable } from "./id-table.js";

const ids = fc.oneof(
  fc.nat(50),
  fc.integer({ min: 4194300, max: 4194310 }),
  fc.nat(40).map((k) => 0x7f0000000000 + 16 * k),
  fc.nat(40).map((k) => 4294967296 * (k + 256)),
);

describe("IdTable", () => {
  it("behaves like a map, for small ids, large ids and addresses", () => {
    const commands = fc.array(
      fc.record({ id: ids, slot: fc.nat(1e6), kind: fc.constantFrom("set", "set", "delete") }),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(commands, (steps) => {
        const table = new IdTable();
        const model = new Map<number, number>();
        for (const { id, slot, kind } of steps) {
          if (kind === "set") {
            table.set(id, slot);
            model.set(id, slot);
          } else {
            table.delete(id);
            model.delete(id);
          }
          expect(table.find(id)).toBe(model.get(id) ?? -1);
        }
        for (const { id } of steps) expect(table.find(id)).toBe(model.get(id) ?? -1);
      }),
    );
  });

  it("keeps every id when it grows, and finds none that is gone", () => {
    const table = new IdTable();
    const id = (k: number): number => 8589934592 + 48 * k;
    for (let k = 0; k < 20_000; k++) table.set(id(k), k);
    for (let k = 0; k < 20_000; k += 2) table.delete(id(k));
    const wrong = Array.from({ length: 20_000 }, (_, k) => k).filter(
      (k) => table.find(id(k)) !== (k % 2 === 0 ? -1 : k),
    );
    expect(wrong).toEqual([]);
  });

  it("has no negative ids", () => {
    expect(new IdTable().find(-1)).toBe(-1);
  });
});
