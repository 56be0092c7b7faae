/** One self-contained HTML page: text, tables and figures, without scripts and without the network. */
import { fontFaceRules, fontStack } from "./fonts.js";

export interface ReportFigure {
  readonly svg: string;
  readonly caption: string;
  /** What the figure shows, for readers who cannot see it. */
  readonly alt: string;
}

/** Columns of text are aligned left, columns of numbers right, by the type of the cells. */
export interface ReportTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface ReportSection {
  readonly heading: string;
  /** Plain text; an empty line starts a paragraph. */
  readonly text: string;
  readonly figures: readonly ReportFigure[];
  readonly table?: ReportTable;
}

export interface Report {
  readonly title: string;
  readonly sections: readonly ReportSection[];
}

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const paragraphs = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .filter((part) => part.trim() !== "")
    .map((part) => `<p>${escapeHtml(part.trim())}</p>`)
    .join("\n");

/** Ids of one drawing made different from those of the others on the page, which would else share their clips. */
function withOwnIds(svg: string, prefix: string): string {
  return svg
    .replace(/(\sid=")([^"]+")/g, `$1${prefix}$2`)
    .replace(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
    .replace(/((?:xlink:)?href="#)([^"]+")/g, `$1${prefix}$2`);
}

function figureHtml({ svg, caption, alt }: ReportFigure, prefix: string): string {
  // Root attributes follow the page: the figure shrinks with a narrow window and is never blown up.
  const drawing = withOwnIds(svg, prefix).replace(/<svg /, `<svg role="img" aria-label="${escapeHtml(alt)}" `);
  return `<figure>\n<div class="card">${drawing}</div>\n<figcaption>${escapeHtml(caption)}</figcaption>\n</figure>`;
}

function tableHtml({ head, rows }: ReportTable): string {
  const numeric = head.map((_, j) => rows.length > 0 && rows.every((row) => typeof row[j] === "number"));
  const align = (j: number): string => (numeric[j] ? ' class="n"' : "");
  const headings = head.map((name, j) => `<th scope="col"${align(j)}>${escapeHtml(name)}</th>`).join("");
  const lines = rows.map(
    (row) => `<tr>${row.map((cell, j) => `<td${align(j)}>${escapeHtml(String(cell))}</td>`).join("")}</tr>`,
  );
  return `<div class="wide"><table>\n<thead><tr>${headings}</tr></thead>\n<tbody>\n${lines.join("\n")}\n</tbody>\n</table></div>`;
}

/** Stable anchors from headings; a second one of the same name gets a number. */
function anchors(headings: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return headings.map((heading) => {
    const base =
      heading
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "") || "section";
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    return count === 1 ? base : `${base}-${count}`;
  });
}

const style = `
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#555;--line:#ddd;--page:#fcfcfb;--link:#005a8d}
@media(prefers-color-scheme:dark){:root{--ink:#e8e6e3;--soft:#a9a6a1;--line:#3a3a3a;--page:#161617;--link:#7cc4f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:17px/1.55 ${fontStack.replaceAll("'", '"')}}
main{max-width:960px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.3rem;line-height:1.3;margin:3rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
p{max-width:44rem;margin:.6rem 0}
nav ol{margin:0 0 1rem;padding:0;list-style:none;columns:18rem}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
figure{margin:1.5rem 0}
.card{background:#fff;border:1px solid var(--line);border-radius:4px;padding:16px;overflow-x:auto}
.card svg{display:block;max-width:100%;height:auto;margin:0 auto}
figcaption{max-width:44rem;margin-top:.5rem;color:var(--soft);font-size:.9rem}
.wide{overflow-x:auto;margin:1.25rem 0}
table{border-collapse:collapse;font-size:.9rem;line-height:1.35;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line)}
th{border-bottom:2px solid var(--soft)}
.n{text-align:right}
@media print{:root{--ink:#000;--soft:#333;--line:#bbb;--page:#fff;--link:#000}
body{font-size:10pt}main{max-width:none;padding:0}nav{display:none}
.card{border:0;padding:0;overflow:visible}figure,tr{break-inside:avoid}h2{break-after:avoid}}
`;

/**
 * The page. Figures are inline and keep their text selectable; the fonts are embedded once for the page and all its
 * figures. In the dark the page turns dark and the figures stay on white cards. Same report, same bytes.
 */
export function htmlReport({ title, sections }: Report): string {
  const ids = anchors(sections.map((section) => section.heading));
  const contents = sections.map((section, i) => `<li><a href="#${ids[i]}">${escapeHtml(section.heading)}</a></li>`);
  const bodies = sections.map((section, i) => {
    const figures = section.figures.map((figure, j) => figureHtml(figure, `s${i}f${j}-`));
    const table = section.table === undefined ? [] : [tableHtml(section.table)];
    const heading = `<h2 id="${ids[i]}">${escapeHtml(section.heading)}</h2>`;
    return `<section>\n${[heading, paragraphs(section.text), ...figures, ...table].join("\n")}\n</section>`;
  });
  const nav = sections.length > 1 ? `<nav aria-label="Contents"><ol>${contents.join("")}</ol></nav>\n` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${fontFaceRules()}${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${nav}${bodies.join("\n")}
</main>
</body>
</html>
`;
}
