import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "./errors.js";
import { defaultsOf, formatSelector, type OptionTable, parseSelector, resolveOptions } from "./options.js";

interface Sample {
  order: string;
  split: boolean;
  bins: number;
  load: number;
  growth: number;
}

const table: OptionTable<Sample> = {
  order: { kind: "choice", values: ["address", "lifo"], default: "address", help: "" },
  split: { kind: "boolean", default: true, help: "" },
  bins: { kind: "integer", min: 1, max: 128, default: 32, help: "" },
  load: { kind: "number", min: 0, max: 1, default: 0.5, help: "" },
  growth: { kind: "bytes", min: 4096, max: Number.POSITIVE_INFINITY, default: 65536, help: "" },
};
const defaults: Sample = { order: "address", split: true, bins: 32, load: 0.5, growth: 65536 };

describe("options", () => {
  it("are the defaults where nothing is given", () => {
    expect(defaultsOf(table)).toEqual(defaults);
    expect(resolveOptions("fit", table)).toEqual(defaults);
    expect(resolveOptions("fit", table, { bins: undefined })).toEqual(defaults);
  });

  it.each([
    ["order", "lifo", "lifo"],
    ["split", "false", false],
    ["split", "no", false],
    ["split", "off", false],
    ["split", false, false],
    ["split", "true", true],
    ["split", "yes", true],
    ["split", "on", true],
    ["bins", "128", 128],
    ["bins", "1e2", 100],
    ["bins", 7, 7],
    ["load", ".25", 0.25],
    ["load", "1.", 1],
    ["load", "1e-3", 0.001],
    ["growth", "8192", 8192],
    ["growth", "64K", 65536],
    ["growth", "64k", 65536],
    ["growth", "1.5M", 1572864],
    ["growth", "4MB", 4194304],
    ["growth", "2GiB", 2147483648],
    ["growth", "inf", Number.POSITIVE_INFINITY],
    ["growth", "Infinity", Number.POSITIVE_INFINITY],
  ])("%s takes %s as %s", (name, given, value) => {
    expect(resolveOptions("fit", table, { [name]: given })).toEqual({ ...defaults, [name]: value });
  });

  it.each([
    ["order", "fifo", 'fit: option order: "fifo" is not one of address, lifo'],
    ["order", 3, 'fit: option order: "3" is not one of address, lifo'],
    ["split", "maybe", 'fit: option split: "maybe" is not true or false'],
    ["split", 1, 'fit: option split: "1" is not true or false'],
    ["bins", "0", 'fit: option bins: "0" is not a whole number from 1 to 128'],
    ["bins", "129", 'fit: option bins: "129" is not a whole number from 1 to 128'],
    ["bins", "1.5", 'fit: option bins: "1.5" is not a whole number from 1 to 128'],
    ["bins", "1K", 'fit: option bins: "1K" is not a whole number from 1 to 128'],
    ["bins", "5B", 'fit: option bins: "5B" is not a whole number from 1 to 128'],
    ["bins", "", 'fit: option bins: "" is not a whole number from 1 to 128'],
    ["bins", "Infinity", 'fit: option bins: "Infinity" is not a whole number from 1 to 128'],
    ["bins", Number.NaN, 'fit: option bins: "NaN" is not a whole number from 1 to 128'],
    ["bins", null, 'fit: option bins: "null" is not a whole number from 1 to 128'],
    ["load", "1.01", 'fit: option load: "1.01" is not a number from 0 to 1'],
    ["load", "half", 'fit: option load: "half" is not a number from 0 to 1'],
    ["growth", "1K", 'fit: option growth: "1K" is not a whole number from 4096 to Infinity'],
    ["growth", "4096.5", 'fit: option growth: "4096.5" is not a whole number from 4096 to Infinity'],
    ["growth", "64X", 'fit: option growth: "64X" is not a whole number from 4096 to Infinity'],
    ["binz", "3", 'unknown option of fit "binz": did you mean "bins"?'],
    ["colour", "3", 'unknown option of fit "colour": known: order, split, bins, load, growth'],
  ])("%s refuses %s in one line", (name, given, message) => {
    expect(() => resolveOptions("fit", table, { [name]: given })).toThrow(new InputError(message));
  });

  it("of something without options are refused", () => {
    expect(() => resolveOptions("null", {}, { bins: 1 })).toThrow(
      new InputError('null: has no options, but got "bins"'),
    );
    expect(resolveOptions("null", {}, {})).toEqual({});
  });
});

describe("a selector", () => {
  it("is a name and options as text", () => {
    expect(parseSelector("buddy")).toEqual({ name: "buddy", options: {} });
    expect(parseSelector("buddy:")).toEqual({ name: "buddy", options: {} });
    expect(parseSelector("fit:order=lifo,bins=4,")).toEqual({ name: "fit", options: { order: "lifo", bins: "4" } });
    expect(parseSelector("fit:label=a=b,empty=")).toEqual({ name: "fit", options: { label: "a=b", empty: "" } });
    expect(Object.keys(parseSelector("fit:__proto__=1").options)).toEqual(["__proto__"]);
  });

  it.each([
    ["fit:lifo", '"fit:lifo": expected name:option=value,option=value, got "lifo"'],
    ["fit:=3", '"fit:=3": expected name:option=value,option=value, got "=3"'],
    ["fit:bins=3,bins=4", '"fit:bins=3,bins=4": option bins is given twice; give it once'],
  ])("%s is refused", (text, message) => {
    expect(() => parseSelector(text)).toThrow(new InputError(message));
  });

  it("is written so that reading it gives the same options back, defaults left out", () => {
    const options = fc.record({
      order: fc.constantFrom("address", "lifo"),
      split: fc.boolean(),
      bins: fc.integer({ min: 1, max: 128 }),
      load: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0),
      growth: fc.oneof(fc.integer({ min: 4096 }), fc.constantFrom(1e21, Number.POSITIVE_INFINITY)),
    });
    fc.assert(
      fc.property(options, (given) => {
        const read = parseSelector(formatSelector("fit", table, given));
        expect(read.name).toBe("fit");
        expect(resolveOptions("fit", table, read.options)).toEqual(given);
      }),
    );
    expect(formatSelector("fit", table, defaults)).toBe("fit");
    expect(formatSelector("fit", table, { ...defaults, order: "lifo", bins: 4 })).toBe("fit:order=lifo,bins=4");
  });
});
