/**
 * From a Vega-Lite spec to SVG, PNG and PDF. Same spec, theme and provenance: same bytes, whatever was drawn before.
 * The drawing packages are loaded at the first call, since they take 150 ms each and most commands draw nothing.
 */
import type { Spec } from "vega";
import type { TopLevelSpec } from "vega-lite";
import { faceOf, faces, family, fontFile } from "./fonts.js";
import { textWidth } from "./text-metrics.js";
import { configOf, type Theme } from "./theme.js";

/** What vega exports and vega-typings does not declare; the width hook is the one that vl-convert uses too. */
interface UndeclaredVega {
  textMetrics: { width: (item: TextItem, text: unknown) => number };
  setRandom(source: () => number): void;
  randomLCG(seed: number): () => number;
}

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
  fontStyle?: string;
}

type Vega = typeof import("vega");

let loaded: Promise<Vega> | undefined;

function loadVega(): Promise<Vega> {
  loaded ??= import("vega").then((vega) => {
    (vega as unknown as UndeclaredVega).textMetrics.width = (item, text) =>
      textWidth(String(text ?? "").trim(), item.fontSize ?? 11, faceOf(item.fontWeight, item.fontStyle));
    return vega;
  });
  return loaded;
}

/** A logger that keeps every warning and error. Vega and Vega-Lite each declare a type of their own for it. */
function collector(): { readonly messages: string[]; readonly logger: never } {
  const messages: string[] = [];
  const keep = (...parts: unknown[]): unknown => {
    messages.push(parts.map(String).join(" "));
    return logger;
  };
  const ignore = (): unknown => logger;
  const level = (set?: number): unknown => (set === undefined ? 2 : logger);
  const logger: Record<string, unknown> = { error: keep, warn: keep, info: ignore, debug: ignore, level };
  return { messages, logger: logger as never };
}

/** JSON with the keys of every object in code-unit order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const rootTag = /<svg[^>]*>/;

/** Drawings wait for each other: the counter of ids and the source of random numbers are global in Vega. */
let turn: Promise<unknown> = Promise.resolve();

async function draw(spec: TopLevelSpec, theme: Theme): Promise<string> {
  const vega = await loadVega();
  const { compile } = await import("vega-lite");
  const { messages, logger } = collector();
  const refuseWarnings = (): void => {
    if (messages.length > 0) throw new Error(messages.join("; "));
  };
  const compiled: Spec = compile(spec, { logger, config: configOf(theme) }).spec;
  refuseWarnings();
  const { setRandom, randomLCG } = vega as unknown as UndeclaredVega;
  setRandom(randomLCG(1));
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logger });
  try {
    await view.runAsync();
    // Ids of clips and gradients count up over the life of the process.
    vega.resetSVGDefIds();
    const svg = await view.toSVG();
    refuseWarnings();
    return svg;
  } finally {
    view.finalize();
  }
}

/**
 * Draws a spec. `provenance`, any JSON value, goes into `<metadata>` in canonical form. Any warning of Vega or
 * Vega-Lite is an `Error` that names the chart: a chart that warns shows something else than was meant.
 */
export async function renderSvg(spec: TopLevelSpec, theme: Theme, provenance?: unknown): Promise<string> {
  const drawing = turn.then(() => draw(spec, theme));
  turn = drawing.catch(() => undefined);
  const svg = await drawing.catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`chart ${spec.name ?? "without a name"}: ${message}`, { cause });
  });
  if (provenance === undefined) return svg;
  const metadata = `<metadata>${escapeXml(canonical(provenance))}</metadata>`;
  return svg.replace(rootTag, (open) => `${open}${metadata}`);
}

/** Draws an SVG as PNG; an SVG px is 1/96 in. */
export async function renderPng(svg: string, dpi = 300): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const drawing = new Resvg(svg, {
    fitTo: { mode: "zoom", value: dpi / 96 },
    font: {
      loadSystemFonts: false,
      fontFiles: faces.map(fontFile),
      defaultFontFamily: family,
      sansSerifFamily: family,
    },
  });
  return drawing.render().asPng();
}

/** Width and height of an SVG in px, as its root element says. Throws an `Error` where it does not. */
export function svgSize(svg: string): { readonly width: number; readonly height: number } {
  const open = rootTag.exec(svg)?.[0] ?? "";
  const side = (name: string): number => Number(new RegExp(`\\s${name}="([\\d.]+)"`).exec(open)?.[1] ?? Number.NaN);
  const size = { width: side("width"), height: side("height") };
  if (Number.isNaN(size.width + size.height)) throw new Error("the SVG does not state its width and height in px");
  return size;
}

/** Points of PDF in a px of SVG. */
const pointsPerPx = 0.75;

/**
 * Draws an SVG as a PDF of its size: vectors, embedded subsets of the fonts, and a fixed date, from which the PDF also
 * derives its id. What the converter cannot draw is an `Error`.
 */
export async function renderPdf(svg: string, title: string): Promise<Uint8Array> {
  const { default: PdfDocument } = await import("pdfkit");
  const { default: svgToPdf } = await import("svg-to-pdfkit");
  const size = svgSize(svg);
  const width = size.width * pointsPerPx;
  const height = size.height * pointsPerPx;
  const epoch = new Date(0);
  const info = { Title: title, Creator: "fraglab", Producer: "fraglab", CreationDate: epoch, ModDate: epoch };
  const document = new PdfDocument({ size: [width, height], margin: 0, info });
  for (const face of faces) document.registerFont(face, fontFile(face));
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    document.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    document.on("error", reject);
    document.on("end", resolve);
  });
  const warnings: string[] = [];
  svgToPdf(document, svg, 0, 0, {
    assumePt: false,
    width,
    height,
    warningCallback: (message) => warnings.push(message),
    fontCallback: (_family, bold, italic) => faceOf(bold ? "bold" : "normal", italic ? "italic" : "normal"),
  });
  document.end();
  await ended;
  if (warnings.length > 0) throw new Error(`PDF of "${title}": ${warnings.join("; ")}`);
  return Buffer.concat(chunks);
}
