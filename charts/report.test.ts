import { beforeAll, describe, expect, it } from "vitest";
import { bars } from "./bars.js";
import { heapMap } from "./heap-map.js";
import { renderSvg } from "./render.js";
import { htmlReport, type Report } from "./report.js";
import { barTable, heapTable, lineTable } from "./samples.js";
import { themes } from "./theme.js";
import { timeline } from "./timeline.js";

describe("the HTML report", () => {
  let report: Report;
  let html = "";

  beforeAll(async () => {
    const specs = [timeline(lineTable(30)), timeline(lineTable(20)), bars(barTable()), heapMap(heapTable(20, 10))];
    const figures = [];
    for (const spec of specs) {
      figures.push({ svg: await renderSvg(spec, themes.screen, { seed: 1 }), caption: "a < b", alt: 'the "figure"' });
    }
    report = {
      title: "Would it pay?",
      sections: [
        { heading: "Results", text: "First.\n\nSecond & <last>.", figures: figures.slice(0, 2) },
        {
          heading: "Results",
          text: "",
          figures: figures.slice(2),
          table: {
            head: ["allocator", "ratio"],
            rows: [
              ["pymalloc", 1.5],
              ["<b>", 2],
            ],
          },
        },
      ],
    };
    html = htmlReport(report);
  });

  it("needs no script and no network", () => {
    expect(html).not.toMatch(/<script|<link|<iframe|@import/i);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)].map((m) => m[1] ?? m[2]);
    expect(addresses.length).toBeGreaterThan(10);
    for (const address of addresses) expect(address.slice(0, 5)).toMatch(/^(#|data:)/);
  });

  it("gives every id once and finds every reference", () => {
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const references = [...html.matchAll(/url\(#([^)]+)\)|href="#([^"]+)"/g)].map((match) => match[1] ?? match[2]);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) expect(ids).toContain(reference);
  });

  it("carries the fonts once", () => {
    expect(html.match(/@font-face/g)).toHaveLength(2);
  });

  it("says what each figure shows, and escapes what it is given", () => {
    expect(html.match(/<svg role="img" aria-label="the &quot;figure&quot;"/g)).toHaveLength(4);
    expect(html).toContain("<figcaption>a &lt; b</figcaption>");
    expect(html).toContain("<p>First.</p>\n<p>Second &amp; &lt;last&gt;.</p>");
    expect(html).toContain('<td>&lt;b&gt;</td><td class="n">2</td>');
  });

  it("knows dark screens and paper", () => {
    expect(html).toContain("prefers-color-scheme:dark");
    expect(html).toContain("@media print");
  });

  it("has the same bytes twice", () => {
    expect(htmlReport(report)).toBe(html);
  });
});
