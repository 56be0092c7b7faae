import { describe, expect, it } from "vitest";
import { kindNames } from "../memory/heap-map.js";
import { kindColours, seriesStyle, themeNamed, themes } from "./theme.js";

/** CIELAB lightness of an sRGB colour. */
function lightness(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 116 * Math.cbrt(0.2126 * r + 0.7152 * g + 0.0722 * b) - 16;
}

describe("the themes", () => {
  it("have the column and text widths of the class files", () => {
    const px = (pt: number): number => Math.round((pt / 72.27) * 96);
    expect(themes.acm.width).toEqual({ column: px(241.147), text: px(506.295) });
    expect(themes.ieee.width).toEqual({ column: 3.5 * 96, text: Math.round(7.16 * 96) });
    expect(themes.usenix.width).toEqual({ column: px(241.02), text: 7 * 96 });
  });

  it("print labels of 7 pt or more on paper", () => {
    for (const theme of [themes.acm, themes.ieee, themes.usenix]) {
      expect((theme.font.label * 72) / 96).toBeGreaterThan(6.99);
    }
  });

  it("are found by name, and a near miss is named", () => {
    expect(themeNamed("acm")).toBe(themes.acm);
    expect(() => themeNamed("acn")).toThrow('unknown theme "acn": did you mean "acm"?');
    expect(() => themeNamed("toString")).toThrow("unknown theme");
  });

  it("give each of 63 series a colour and dash of its own, and nine neighbours different dashes", () => {
    const styles = Array.from({ length: 63 }, (_, i) => seriesStyle(i));
    expect(new Set(styles.map((style) => JSON.stringify(style))).size).toBe(63);
    for (let i = 0; i + 9 <= 63; i++) {
      expect(new Set(styles.slice(i, i + 9).map((style) => String(style.dash))).size).toBe(9);
    }
  });

  it("colour the kinds of bytes so that grey print keeps their order", () => {
    const steps = kindNames.map((kind) => lightness(kindColours[kind]));
    for (let i = 1; i < steps.length; i++) expect(steps[i] - steps[i - 1]).toBeGreaterThan(7);
  });
});
