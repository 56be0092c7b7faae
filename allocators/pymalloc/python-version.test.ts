import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { variantNamed, variantOfPython } from "./python-version.js";

describe("the variant of a Python", () => {
  it.each([
    [6, 8, "cpython-3.7"],
    [6, 16, "cpython-3.8"],
    [7, 8, "cpython-3.7"],
    [7, 16, "cpython-3.8"],
    [8, 16, "cpython-3.8"],
    [9, 16, "cpython-3.9"],
    [10, 16, "cpython-3.10"],
    [11, 16, "cpython-3.11"],
    [14, 16, "cpython-3.11"],
    [10, 8, undefined],
    [12, 32, undefined],
    [15, 16, undefined],
    [5, 8, undefined],
  ])("3.%i with blocks at multiples of %i is %s", (minor, alignment, variant) => {
    expect(variantOfPython(minor, alignment)).toBe(variant);
  });

  it.each([
    ["cpython-3.10", "cpython-3.10"],
    ["cpython-3.13", "cpython-3.11"],
    ["3.14.7", "cpython-3.11"],
    ["3.7", "cpython-3.7"],
    ["3.7.3", "cpython-3.7"],
    ["3.7.4", "cpython-3.8"],
    ["cpython-3.8.18", "cpython-3.8"],
  ])("named %s is %s", (name, variant) => {
    expect(variantNamed(name)).toBe(variant);
  });

  it.each(["cpython-3.99", "cpython-3.1", "cpyhton-3.9", "2.7", "", "3.9-dev"])(
    "named %j is an error of one line",
    (name) => {
      expect(() => variantNamed(name)).toThrow(InputError);
      expect(() => variantNamed(name)).toThrow(
        /^unknown variant of pymalloc "[^\n]*"(: known: |: did you mean )[^\n]*$/,
      );
    },
  );
});
