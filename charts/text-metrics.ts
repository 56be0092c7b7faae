/**
 * Widths of text from the font itself. Without a canvas Vega guesses 0.8 em a character, which misplaces every legend
 * and cuts labels; with this it lays out as a browser that has the font does.
 */
import { createRequire } from "node:module";
import type { Font, FontCollection } from "fontkit";
import { type Face, fontFile } from "./fonts.js";

/** fontkit is loaded at the first measurement: it takes 50 ms, and the specs are built by synchronous functions. */
interface Fontkit {
  openSync(file: string): Font | FontCollection;
}

const require = createRequire(import.meta.url);
const fonts = new Map<Face, Font>();
const widths = new Map<string, number>();

function fontOf(face: Face): Font {
  let font = fonts.get(face);
  if (font === undefined) {
    font = (require("fontkit") as Fontkit).openSync(fontFile(face)) as Font;
    fonts.set(face, font);
  }
  return font;
}

/** Advance width in px of one line of text, kerning included. */
export function textWidth(text: string, size: number, face: Face = "normal"): number {
  const key = `${face}|${text}`;
  let ems = widths.get(key);
  if (ems === undefined) {
    const font = fontOf(face);
    ems = font.layout(text).advanceWidth / font.unitsPerEm;
    if (widths.size > 50_000) widths.clear();
    widths.set(key, ems);
  }
  return ems * size;
}

/** Width in px of the widest of some texts, 0 for none. */
export function widestText(texts: readonly string[], size: number, face: Face = "normal"): number {
  return texts.reduce((widest, text) => Math.max(widest, textWidth(text, size, face)), 0);
}

/** Where to break, best first: after spaces and slashes, colons and commas, hyphens and equals signs, anywhere. */
const breaks = [/(?<=[ /])/, /(?<=[:,])/, /(?<=[-=])/, ""];

/**
 * Breaks text into lines of at most `width` px: at line ends, then at the best places, and at worse ones only inside
 * of a piece that would not fit else. Only a single character may be wider.
 */
export function wrapText(text: string, width: number, size: number, face: Face = "normal"): string[] {
  const fits = (line: string): boolean => textWidth(line.trimEnd(), size, face) <= width;
  const wrapLine = (whole: string, level: number): string[] => {
    const lines: string[] = [];
    let line = "";
    for (const piece of whole.split(breaks[level])) {
      if (fits(line + piece)) {
        line += piece;
        continue;
      }
      if (line !== "") lines.push(line.trimEnd());
      line = piece;
      if (fits(piece) || level + 1 === breaks.length) continue;
      const parts = wrapLine(piece, level + 1);
      line = parts.pop() ?? "";
      lines.push(...parts);
    }
    return [...lines, line];
  };
  return text.split("\n").flatMap((whole) => wrapLine(whole, 0).map((line) => line.trimEnd()));
}
