/** The commands of `fraglab trace`. */
import type { Command } from "commander";
import { examples } from "./examples.js";
import { byteCount, wholeNumber } from "./parse-options.js";

/** Options of a command that reads a trace file. */
function traceInput(command: Command): Command {
  return command
    .option("--format <name>", "the file's format (default: its content tells)")
    .option("--lenient", "drop and count operations that cannot be right instead of refusing the file")
    .option(
      "--part <n>",
      "of a file with several heaps the process id or device to read (default: the first)",
      wholeNumber(0),
    )
    .option("--max-unpacked <bytes>", "refuse a packed file that unpacks to more (default: 64G)", byteCount);
}

/** Adds `trace` with its commands. */
export function addTrace(fraglab: Command): void {
  const trace = fraglab
    .command("trace")
    .description("look at, convert, cut, blur and clone trace files")
    .addHelpText(
      "after",
      examples(
        "trace info run.rep --draw run.png",
        "trace lint valgrind.log",
        "trace convert run.trace.gz run.fgt",
        "trace clone run.fgt clone.fgt",
      ),
    );
  traceInput(
    trace
      .command("info")
      .description("events, peaks, sizes and lifetimes of a trace file")
      .argument("<file>", "any supported format, packed or not"),
  )
    .option("--draw <file>", "a picture of sizes, lifetimes and live bytes: .svg, .png, .pdf or .json (Vega-Lite)")
    .option("--theme <name>", "of the picture, see `fraglab list themes`", "screen")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      examples(
        "trace info run.rep",
        "trace info run.rep --draw run.png",
        "trace info heaptrack.demo.zst",
        "trace info snapshot.pickle --part 1 --json",
      ),
    )
    .action(async (file: string, options: object) => (await import("./trace.js")).traceInfo(file, options as never));
  trace
    .command("lint")
    .description("what is wrong or doubtful in a trace file, with places; exit 1 if anything is")
    .argument("<file>", "any supported format, packed or not")
    .option("--format <name>", "the file's format (default: its content tells)")
    .option(
      "--part <n>",
      "of a file with several heaps the process id or device to read (default: the first)",
      wholeNumber(0),
    )
    .option("--max-unpacked <bytes>", "refuse a packed file that unpacks to more (default: 64G)", byteCount)
    .option("--json", "as JSON on stdout")
    .addHelpText("after", examples("trace lint run.rep", "trace lint valgrind.log.gz --json"))
    .action(async (file: string, options: object) =>
      (await import("./trace-lint.js")).traceLint(file, options as never),
    );
  traceInput(
    trace
      .command("convert")
      .description(
        "write a trace in another format, by the ending: .fgt (compact), .trace or .txt (text), or those with .gz",
      )
      .argument("<file>", "any supported format, packed or not")
      .argument("<out>", "file to write"),
  ).action(async (file: string, out: string, options: object) =>
    (await import("./trace.js")).traceConvert(file, out, options as never),
  );

  traceInput(
    trace
      .command("cut")
      .description("write a part of a trace; what is live at its beginning is allocated first")
      .argument("<file>", "any supported format, packed or not")
      .argument("<out>", "file to write, by the ending as for convert"),
  )
    .option("--from <event>", "first event of the part, or a percentage such as 25%", "0")
    .option("--to <event>", "event behind the part, or a percentage", "100%")
    .addHelpText(
      "after",
      examples("trace cut run.fgt steady.fgt --from 20% --to 80%", "trace cut run.rep head.trace --to 1000"),
    )
    .action(async (file: string, out: string, options: object) =>
      (await import("./trace-edit.js")).traceCut(file, out, options as never),
    );
  traceInput(
    trace
      .command("merge-threads")
      .description("write the same events in the same order as those of a single thread")
      .argument("<file>", "any supported format, packed or not")
      .argument("<out>", "file to write, by the ending as for convert"),
  )
    .addHelpText("after", examples("trace merge-threads server.fgt single.fgt"))
    .action(async (file: string, out: string, options: object) =>
      (await import("./trace-edit.js")).traceMergeThreads(file, out, options as never),
    );
  traceInput(
    trace
      .command("anonymise")
      .description("write a trace without names: marks and call sites become numbers")
      .argument("<file>", "any supported format, packed or not")
      .argument("<out>", "file to write, by the ending as for convert"),
  )
    .option("--sizes", "also round sizes up to classes, eight for each doubling")
    .option("--no-sites", "leave call sites out")
    .option("--name <name>", "name of the new trace", "anonymous")
    .addHelpText("after", examples("trace anonymise run.fgt shared.fgt --sizes --no-sites"))
    .action(async (file: string, out: string, options: object) =>
      (await import("./trace-edit.js")).traceAnonymise(file, out, options as never),
    );
  traceInput(
    trace
      .command("clone")
      .description("fit a generator to a trace, write what it draws, and say how near it comes, on allocators too")
      .argument("<file>", "any supported format, packed or not")
      .argument("[out]", "file to write, by the ending as for convert; without it, only the comparison is made"),
  )
    .option(
      "--phases <n>",
      "equal stretches of the events with a mix of sizes and lifetimes of their own",
      wholeNumber(1),
      64,
    )
    .option("--seed <n>", "seed of the clone", wholeNumber(0), 1)
    .option("--allocators <names>", "comma-separated, to compare footprints on", "first-fit,pymalloc,buddy")
    .option("--json", "the comparison as JSON on stdout")
    .addHelpText(
      "after",
      examples("trace clone run.fgt clone.fgt", "trace clone run.rep --phases 16 --allocators best-fit,mesh --json"),
    )
    .action(async (file: string, out: string | undefined, options: object) =>
      (await import("./trace-clone.js")).traceClone(file, out, options as never),
    );
}
