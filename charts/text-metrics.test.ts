import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textWidth, widestText, wrapText } from "./text-metrics.js";

describe("text metrics", () => {
  it("are those of Source Sans 3", () => {
    // hmtx of the font: H 652, i 246 units of 1000, without a kerning pair between them.
    expect(textWidth("Hi", 1000)).toBe(652 + 246);
    expect(textWidth("Hi", 10)).toBeCloseTo(8.98, 10);
    expect(textWidth("Hi", 10, "bold")).toBeGreaterThan(textWidth("Hi", 10));
  });

  it("know the widest of several texts", () => {
    expect(widestText(["i", "MMM", "ll"], 10)).toBe(textWidth("MMM", 10));
    expect(widestText([], 10)).toBe(0);
  });

  it("break lines after spaces and slashes first, and elsewhere only where they must", () => {
    expect(wrapText("recorded/python-ast-walk", 90, 10)).toEqual(["recorded/", "python-ast-walk"]);
    expect(wrapText("recorded/python-ast-walk", 60, 10)).toEqual(["recorded/", "python-ast-", "walk"]);
    expect(wrapText("classes:spans=8,return=never", 60, 10)).toEqual(["classes:", "spans=8,", "return=never"]);
    expect(wrapText("return=never", 40, 10)).toEqual(["return=", "never"]);
    expect(wrapText("unbreakable", 20, 10).join("")).toBe("unbreakable");
    expect(wrapText("two words", 500, 10)).toEqual(["two words"]);
    expect(wrapText("one\ntwo", 500, 10)).toEqual(["one", "two"]);
  });

  it("lose no character when they break", () => {
    const word = fc.stringMatching(/^[a-z-]{1,12}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 20, max: 200 }), (words, width) => {
        const lines = wrapText(words.join(" "), width, 10);
        expect(lines.join("").replaceAll(" ", "")).toBe(words.join(""));
        for (const line of lines) expect(textWidth(line, 10)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
