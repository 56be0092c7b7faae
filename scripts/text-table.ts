/** Tables for people: padded columns, numbers to the right. */

/** Lines of a table; a column is set to the right when all its cells below the head look like numbers. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const numeric = head.map(
    (_, k) => rows.length > 0 && rows.every((row) => /^[-+±]?[\d.,–-]*( ?(%|x|ms|[KMG]iB|B))?$/.test(row[k] ?? "")),
  );
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => (row[k] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, k) => (numeric[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((w) => "-".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}

/** The same as Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = (cell: string): string => cell.replaceAll("|", "\\|");
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- ").join("|")}|`, ...rows.map(line)].join("\n");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes with three significant digits and a binary unit. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return "-";
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A ratio over live as a percentage: 0.123 is "12.3 %". */
export function formatPercent(ratio: number): string {
  if (!Number.isFinite(ratio)) return "-";
  const percent = 100 * ratio;
  return `${Math.abs(percent) >= 1000 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** The value of a metric in its unit: `-` where it is not defined. */
export function formatMetric(unit: string | undefined, value: number | null): string {
  if (value === null || Number.isNaN(value)) return "-";
  if (unit === "bytes") return formatBytes(value);
  if (unit === "ms") return `${Number(value.toPrecision(4))} ms`;
  if (unit === "x") return value.toFixed(2);
  return unit === "share" || unit === "ratio over live" ? formatPercent(value) : String(value);
}
