/** `fraglab pymalloc stats`: what the interpreter would print. */
import { pymallocStatistics } from "../allocators/pymalloc/statistics.js";
import { statisticsText } from "../allocators/pymalloc/statistics-text.js";
import { type PymallocRunOptions, preparePymalloc, runEvents } from "./pymalloc-run.js";

interface StatsOptions extends PymallocRunOptions {
  readonly json?: boolean;
}

/** Prints the statistics after the first `--at` events, to the character as `sys._debugmallocstats()` does, or as JSON. */
export async function pymallocStats(options: StatsOptions): Promise<void> {
  const run = await preparePymalloc(options);
  runEvents(run, 0, run.at);
  const statistics = pymallocStatistics(run.heap);
  const { selector: allocator, at: events } = run;
  const { sizes, arena, pool } = run.heap.geometry;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ allocator, trace: run.trace.name, events, statistics }, null, 2)}\n`
      : statisticsText(statistics, { threshold: sizes[sizes.length - 1], classes: sizes.length, arena, pool }),
  );
}
