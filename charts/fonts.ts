/**
 * The typeface of every chart: Source Sans 3 (SIL Open Font License 1.1), from npm and never from the system, so that
 * every machine measures and draws the same glyphs. The TTF files serve measuring, PNG and PDF; the woff2 files (latin
 * subset, 16 kB a face) go into HTML and, on demand, into an SVG.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Name of the family, as resvg and pdfkit know it. */
export const family = "Source Sans 3";

/**
 * CSS list for viewers that lack the font. The quotes matter: unquoted, the 3 makes it invalid CSS and browsers fall
 * back to their serif.
 */
export const fontStack = `'${family}', 'Source Sans Pro', 'Helvetica Neue', Arial, sans-serif`;

/** The faces that charts use. */
export type Face = "normal" | "bold" | "italic" | "boldItalic";

const cuts: Readonly<Record<Face, string>> = {
  normal: "400Regular",
  bold: "700Bold",
  italic: "400Regular_Italic",
  boldItalic: "700Bold_Italic",
};

/** Every face, in a fixed order. */
export const faces = Object.keys(cuts) as readonly Face[];

/** Path of the TTF file of a face. */
export function fontFile(face: Face): string {
  const cut = cuts[face];
  return require.resolve(`@expo-google-fonts/source-sans-3/${cut}/SourceSans3_${cut}.ttf`);
}

/** The face for a CSS weight and style. */
export function faceOf(weight?: string | number, style?: string): Face {
  const bold = weight === "bold" || weight === "bolder" || Number(weight) >= 600;
  const italic = style === "italic" || style === "oblique";
  if (bold) return italic ? "boldItalic" : "bold";
  return italic ? "italic" : "normal";
}

/** `@font-face` rules that carry the regular and the bold face as data URIs, 42 kB. The subset has no Greek. */
export function fontFaceRules(): string {
  const rules = [400, 700].map((weight) => {
    const file = require.resolve(`@fontsource/source-sans-3/files/source-sans-3-latin-${weight}-normal.woff2`);
    const data = readFileSync(file).toString("base64");
    return `@font-face{font-family:'${family}';font-weight:${weight};src:url(data:font/woff2;base64,${data})format('woff2')}`;
  });
  return rules.join("");
}

/**
 * The SVG with its fonts inside, for a page that shows it as an image. SVG files in results/ stay without: 42 kB a
 * file would be most of its size and of every diff, they are drawn again from their spec on demand, and the font list
 * finds a near match. The HTML report carries the fonts once for all its figures.
 */
export function embedFonts(svg: string): string {
  return svg.replace(/<svg[^>]*>/, (open) => `${open}<defs><style>${fontFaceRules()}</style></defs>`);
}
