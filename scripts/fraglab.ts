#!/usr/bin/env node
/** The command line. Each command's module is loaded when it is used, so that `--help` is quick. */
import { Command, CommanderError, Option } from "commander";
import { defaultCosts } from "../harness/cost-time.js";
import { profiles } from "../harness/experiment.js";
import { version } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import { examples } from "./examples.js";
import { executorNames } from "./executor-names.js";
import { formats } from "./formats.js";
import { INTERRUPTED } from "./interrupt.js";
import { byteCount, listOf, wholeNumber } from "./parse-options.js";
import { addPymalloc } from "./pymalloc-commands.js";
import { refuseKindly, upToUnknown } from "./refuse-kindly.js";
import { addTrace } from "./trace-commands.js";

const USER_MISTAKE = 2;

function program(): Command {
  const fraglab = new Command("fraglab")
    .description(
      "A comparative memory-allocator research workbench: replay workloads on allocators, measure fragmentation, draw it.",
    )
    .version(version)
    .showSuggestionAfterError()
    .enablePositionalOptions()
    .addHelpText(
      "after",
      examples("list", "run fragmentation-over-time", "replay --allocator pymalloc --workload recorded:trace=py-web"),
    );

  fraglab
    .command("list")
    .description(
      "what there is: allocators, workloads, programs, modifiers, experiments, metrics, costs, targets, themes",
    )
    .argument("[what]", "one of these; all by default")
    .option("--json", "as JSON, with options and their ranges")
    .addHelpText("after", examples("list", "list allocators", "list metrics --json"))
    .action(async (what: string | undefined, options: { json?: boolean }) =>
      (await import("./list.js")).list(what, options),
    );

  fraglab
    .command("run")
    .description("run experiments (all by default) and write tables, charts and a report")
    .argument("[experiments...]", "names, see `fraglab list experiments`")
    .addOption(new Option("--profile <name>", "how much to run").choices([...profiles]).default("quick"))
    .option(
      "--out <dir>",
      "where results go (default: results; results-PROFILE[-SEEDS] for anything but the quick profile)",
    )
    .option("-j, --jobs <n>", "worker threads (default: one for each core), or tasks of Slurm (16)", wholeNumber(1))
    .option("--seeds <n>", "seeds for each synthetic workload (default: as the profile says)", wholeNumber(1))
    .option("--no-cache", "compute every cell anew")
    .option("--report", "write report.html as well")
    .addOption(
      new Option("--executor <name>", "compute cells in this process, or as an array job of Slurm")
        .choices(executorNames)
        .default("local"),
    )
    .addHelpText(
      "after",
      examples(
        "run",
        "run seed-scenarios --out seed",
        "run fragmentation-over-time --profile paper --jobs 8",
        "run --profile paper --executor slurm --jobs 40",
      ),
    )
    .action(async (names: string[], options: object) => (await import("./run.js")).run(names, options as never));

  fraglab
    .command("slice", { hidden: true })
    .description("one task of an array job, as `fraglab run --executor slurm` submits it")
    .argument("<plan>", "the job's plan")
    .action(async (plan: string) => (await import("./slice.js")).slice(plan));

  fraglab
    .command("replay")
    .description("one run: a workload or a trace file on one allocator, all metrics")
    .requiredOption("--allocator <name[:k=v,...]>", "see `fraglab list allocators`")
    .option(
      "--workload <name[:k=v,...]>",
      "see `fraglab list workloads`, or `fraglab list programs` for those that read addresses",
    )
    .option("--trace <file>", "a trace file in any format that `fraglab trace` reads")
    .option("--with <modifiers>", "modify the trace file: aged, pinned or accessed, with options and + between")
    .option("--seed <n>", "seed of a synthetic workload or a modifier", wholeNumber(0), 1)
    .option("--limit <bytes>", "memory the allocator may map, such as 64M", byteCount)
    .option("--idle <ms>", "virtual time after the last event, in which heaps go on compacting", wholeNumber(0))
    .option("--costs <name[:k=v,...]>", "counts into time, see `fraglab list costs`", defaultCosts)
    .option("--accesses <n>", "dereferences of each object in its life, for allocators with a table", wholeNumber(0), 0)
    .option("--checked", "with real bytes behind every block, verified; slow")
    .option("--format <name>", "the trace file's format (default: its content tells)")
    .option("--lenient", "drop and count operations that cannot be right instead of refusing the trace file")
    .option("--keep-stale", "replay what a trace file does to freed blocks, for allocators whose handles tell")
    .option("--part <n>", "of a trace file with several heaps the process id or device to read", wholeNumber(0))
    .option("--metrics <list>", "comma-separated names, see `fraglab list metrics` (default: all)")
    .option("--record <file>", "write the trace that was replayed, by the ending as in `fraglab trace convert`")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      examples(
        "replay --allocator pymalloc:variant=cpython-3.8 --workload recorded:trace=py-web",
        "replay --allocator first-fit:wilderness=preserved --trace my.rep --json",
        "replay --allocator handle-table --workload churn:live=20000 --seed 3 --limit 8M --accesses 10",
        "replay --allocator best-fit --workload recorded:trace=py-web+aged:occupancy=0.3",
        "replay --allocator handle-table --trace my.rep --with pinned:share=0.05+accessed",
        "replay --allocator handle-table --trace double-free.rep --keep-stale --json",
        "replay --allocator anchorage --workload redis --costs anchorage:pageFaults=900",
        "replay --allocator pymalloc --workload pool-pinning --record pinned.trace.gz",
      ),
    )
    .action(async (options: object) => (await import("./replay.js")).replay(options as never));

  fraglab
    .command("place")
    .description("where each allocation went: one line per allocate or reallocate")
    .requiredOption("--allocator <name[:k=v,...]>", "see `fraglab list allocators`")
    .option("--trace <file>", "a trace file")
    .option("--workload <name[:k=v,...]>", "a workload in place of a trace file")
    .option("--with <modifiers>", "modify the trace file: aged, pinned or accessed, with options and + between")
    .option("--seed <n>", "seed of a synthetic workload or a modifier", wholeNumber(0), 1)
    .option("--format <name>", "the trace file's format (default: its content tells)")
    .option("--lenient", "drop and count operations that cannot be right instead of refusing the trace file")
    .option("--out <file>", "write there instead of stdout")
    .addHelpText(
      "after",
      examples("place --allocator pymalloc:variant=cpython-3.9,base=mixed --trace run.trace.gz --out placements.tsv"),
    )
    .action(async (options: object) => (await import("./place.js")).place(options as never));

  addTrace(fraglab);

  fraglab
    .command("record")
    .description("run a program and write what it asks of its allocator as a trace (Linux, needs a C compiler)")
    .argument("<command>", "the program")
    .argument("[args...]", "its arguments; put -- before the command")
    .option(
      "--out <file>",
      "trace to write, by the ending: .fgt, .trace, .txt, .trace.gz, .txt.gz (default: COMMAND.fgt)",
    )
    .option("--threads", "keep which thread asks")
    .option("--sites", "keep which call asks, as MODULE+OFFSET")
    .addOption(
      new Option(
        "--python [how]",
        "of CPython: every request, at malloc (PYTHONMALLOC=malloc) or as its object allocator gets it",
      )
        .choices(["malloc", "objects"])
        .preset("malloc"),
    )
    .option(
      "--program <name>",
      "of the programs that COMMAND starts the one to take (default: that with most requests)",
    )
    .option("--children", "write a trace of every process, forked ones with what they inherited")
    .option("--json", "what was written as JSON on stdout; the program's own output goes to stderr")
    .passThroughOptions()
    .addHelpText(
      "after",
      examples(
        "record -- ./server --port 8080",
        "record --out sort.trace.gz --sites -- sort big.txt",
        "record --python=objects -- python3 app.py",
      ),
    )
    .action(async (command: string, args: string[], options: object) =>
      (await import("./record.js")).record(command, args, options as never),
    );

  fraglab
    .command("draw")
    .description("draw the charts of an experiment in a theme, from cached or recomputed results")
    .argument("<experiment>", "see `fraglab list experiments`")
    .option("--theme <name>", "see `fraglab list themes`", "screen")
    .addOption(
      new Option("--format <list>", "comma-separated: svg, png, pdf")
        .argParser(listOf(formats))
        .default(["svg", "png", "pdf"], "all of them"),
    )
    .addOption(new Option("--profile <name>", "which run to draw").choices([...profiles]).default("quick"))
    .option("--out <dir>", "where drawings go", "figures")
    .option("-j, --jobs <n>", "worker threads (default: one for each core)", wholeNumber(1))
    .addHelpText("after", examples("draw fragmentation-over-time --theme acm --format pdf"))
    .action(async (name: string, options: object) => (await import("./draw.js")).draw(name, options as never));

  fraglab
    .command("verify")
    .description("theory and published numbers, recomputed: expected, got, tolerance, source; exit 1 where one fails")
    .argument("[targets...]", "names, see `fraglab list targets`; all by default")
    .option("--python <command>", "the CPython that the target pymalloc drives (default: python3, if there is one)")
    .option("--json", "as a JSON list on stdout")
    .addHelpText(
      "after",
      examples("verify", "verify robson --json", "verify pymalloc --python /opt/python3.13/bin/python3"),
    )
    .action(async (names: string[], options: object) => (await import("./verify.js")).verify(names, options));

  fraglab
    .command("bench")
    .description("replay throughput, a process of its own for each case; medians over rounds")
    .argument("[names...]", "allocators to time, or all (default: those of the charts and the sequential fits)")
    .option("--rounds <n>", "processes for each case, interleaved", wholeNumber(1), 5)
    .option("--live <list>", "comma-separated numbers of live blocks", "1000,10000,50000,100000")
    .option("--trace <file>", "time this trace instead of random churn, each allocator against the first")
    .option(
      "--textbook",
      "sequential fits beside the textbook's linear list, which walks at each request and each free",
    )
    .addOption(
      new Option(
        "--stream <file>",
        "time this .fgt file read block by block straight into each allocator (default: pymalloc), and its memory",
      ).conflicts(["trace", "live", "textbook"]),
    )
    .addOption(
      new Option(
        "--recorder",
        "time a C program that allocates 5 million times a second with the recorder of fraglab record and without it",
      ).conflicts(["trace", "live", "textbook", "stream"]),
    )
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      examples(
        "bench",
        "bench all --live 50000,1000000 --rounds 1",
        "bench --textbook --live 50000 --rounds 1",
        "bench pymalloc --rounds 9 --live 50000",
        "bench first-fit buddy pymalloc --trace run.trace.gz --rounds 15",
        "bench pymalloc --stream run.fgt",
        "bench --recorder --rounds 11",
      ),
    )
    .action(async (names: string[], options: { stream?: string; recorder?: boolean }) => {
      if (options.recorder) (await import("./bench-recorder.js")).benchRecorder(names, options as never);
      else if (options.stream === undefined) await (await import("./bench.js")).bench(names, options as never);
      else await (await import("./bench-stream.js")).benchStream(names, options as never);
    });

  addPymalloc(fraglab);

  fraglab
    .command("new")
    .description("write the first version of an allocator, workload, reader, metric or experiment (in a source tree)")
    .argument("<kind>", "allocator, workload, reader, metric or experiment")
    .argument("<name>", "its name: small letters, digits and hyphens between")
    .addHelpText(
      "after",
      examples(
        "new allocator my-allocator",
        "new workload my-workload",
        "new reader my-format",
        "new metric my-metric",
        "new experiment my-experiment",
      ),
    )
    .action(async (kind: string, name: string) => (await import("./new.js")).begin(kind, name));

  return fraglab;
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_MISTAKE;
  if (error instanceof InputError) {
    process.stderr.write(`fraglab: ${error.message}\n`);
    return USER_MISTAKE;
  }
  if (error instanceof Error && error.name === "AbortError") return INTERRUPTED;
  process.stderr.write(
    `fraglab: internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}

// A reader that goes away (`fraglab place ... | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`fraglab: cannot write to standard output: ${error.message}\n`);
  process.exit(USER_MISTAKE);
});

try {
  const fraglab = program();
  refuseKindly(fraglab);
  const words = process.argv.slice(2);
  const [command, more] = words;
  // No command: a question, not a mistake.
  if (command === undefined) fraglab.outputHelp();
  else if ((command === "trace" || command === "pymalloc") && more === undefined)
    fraglab.commands.find((one) => one.name() === command)?.outputHelp();
  else {
    const asked = command === "help" ? [...words.slice(1), "--help"] : words;
    await fraglab.parseAsync([...upToUnknown(fraglab, asked)], { from: "user" });
  }
} catch (error) {
  process.exitCode = fail(error);
}
