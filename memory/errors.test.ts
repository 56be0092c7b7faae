import { describe, expect, it } from "vitest";
import { HeapError, InputError, nearest, unknownName } from "./errors.js";

const known = ["first-fit", "best-fit", "buddy", "pymalloc", "handle-table"];

describe("a misspelt name", () => {
  it.each([
    ["frist-fit", "first-fit"],
    ["budy", "buddy"],
    ["buddyy", "buddy"],
    ["pymaloc", "pymalloc"],
    ["handel-tabel", "handle-table"],
    ["py", "pymalloc"],
    ["best", "best-fit"],
    ["bset-fit", "best-fit"],
  ])("%s is taken for %s", (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
    expect(unknownName("allocator", name, known).message).toBe(`unknown allocator "${name}": did you mean "${meant}"?`);
  });

  it.each(["x", "tlsf", "xuxdy", "", "worst-case"])("%s is near to none, so that all are listed", (name) => {
    expect(nearest(name, known)).toBeUndefined();
    expect(unknownName("allocator", name, known).message).toBe(
      `unknown allocator "${name}": known: first-fit, best-fit, buddy, pymalloc, handle-table`,
    );
  });

  it("goes to the nearest of several", () => {
    expect(nearest("next-fit", ["best-fit", "next-fits", "first-fit"])).toBe("next-fits");
    expect(nearest("anything", [])).toBeUndefined();
  });
});

describe("the two kinds of error", () => {
  it("carry a name, and the fault and ref of a broken invariant", () => {
    const broken = new HeapError("overlap", "block 3 overlaps block 4", 48);
    expect([broken.name, broken.message, broken.fault, broken.ref]).toEqual([
      "HeapError",
      "overlap: block 3 overlaps block 4",
      "overlap",
      48,
    ]);
    expect(new HeapError("structure", "odd").ref).toBe(-1);
    expect(unknownName("a", "b", [])).toBeInstanceOf(InputError);
    expect(new InputError("x").name).toBe("InputError");
  });
});
