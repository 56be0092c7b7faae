/** The commands of `fraglab pymalloc`. */
import type { Command } from "commander";
import { examples } from "./examples.js";
import { wholeNumber } from "./parse-options.js";

/** Options of the commands that run a trace on pymalloc. */
function runsPymalloc(command: Command): Command {
  return command
    .option("--trace <file>", "a trace file in any format that `fraglab trace` reads")
    .option("--workload <name[:k=v,...]>", "a workload in place of a trace file")
    .option("--seed <n>", "seed of a synthetic workload", wholeNumber(0), 1)
    .option("--format <name>", "the trace file's format (default: its content tells)")
    .option("--lenient", "drop and count operations that cannot be right instead of refusing the trace file")
    .option("--variant <name>", "version of CPython, such as cpython-3.10 or 3.13 (default: cpython-3.10)")
    .option("--options <k=v,...>", "further options of the allocator, see `fraglab list allocators`")
    .option("--at <event>", "after so many events, or peak, end, or the label of a mark (default: end)")
    .option("--json", "as JSON on stdout");
}

/** Adds `pymalloc` with its commands. */
export function addPymalloc(fraglab: Command): void {
  const pymalloc = fraglab
    .command("pymalloc")
    .description("the laboratory around CPython's object allocator: its statistics, what keeps arenas, a live process")
    .addHelpText(
      "after",
      examples(
        "pymalloc stats --variant cpython-3.10 --trace run.fgt",
        "pymalloc pins --trace run.fgt --at peak --out pins",
        "pymalloc read debugmallocstats.txt",
      ),
    );
  runsPymalloc(pymalloc.command("stats"))
    .description("the text of sys._debugmallocstats(), to the character, of a simulated interpreter")
    .addHelpText("after", examples("pymalloc stats --variant cpython-3.10 --trace run.fgt --at 50000"))
    .action(async (options: object) => (await import("./pymalloc-stats.js")).pymallocStats(options as never));
  runsPymalloc(pymalloc.command("pins"))
    .description("which arenas are kept by how many live blocks of which size, age and allocation site")
    .option("--top <n>", "rows of the long tables", wholeNumber(1), 20)
    .option("--out <dir>", "draw pool occupancy over time and what the oldest survivors keep, there")
    .addHelpText(
      "after",
      examples("pymalloc pins --workload recorded:trace=py-web", "pymalloc pins --trace run.fgt --at peak --out pins"),
    )
    .action(async (options: object) => (await import("./pymalloc-pins.js")).pymallocPins(options as never));
  runsPymalloc(pymalloc.command("read"))
    .description("the output of sys._debugmallocstats() of a process, beside a simulated heap where a trace is given")
    .argument("<file>", "text with one or more printings; the last one counts")
    .option("--out <dir>", "draw the size classes, there")
    .addHelpText(
      "after",
      examples(
        "pymalloc read debugmallocstats.txt",
        "pymalloc read debugmallocstats.txt --trace run.fgt --variant 3.11 --out read",
      ),
    )
    .action(async (file: string, options: object) =>
      (await import("./pymalloc-read.js")).pymallocRead(file, options as never),
    );
}
