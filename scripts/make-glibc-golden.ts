/**
 * Records what the C library of this machine does on the golden runs, with a C compiler:
 * `node dist/scripts/make-glibc-golden.js [OUT]`, where OUT is `allocators/glibc/golden`. The library must be glibc 2.36.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ANSWERS, type GoldenRun, goldenRuns, packAnswers } from "../allocators/glibc/golden-runs.js";
import { InputError } from "../memory/errors.js";

/** The tunables of each option that differs from its default. */
function tunablesOf({ options }: GoldenRun): string {
  const names = {
    tcacheCount: "tcache_count",
    mxfast: "mxfast",
    mmapThreshold: "mmap_threshold",
    trimThreshold: "trim_threshold",
    topPad: "top_pad",
  } as const;
  return (Object.entries(names) as [keyof typeof names, string][])
    .filter(([option]) => options[option] !== undefined)
    .map(([option, tunable]) => `glibc.malloc.${tunable}=${options[option]}`)
    .join(":");
}

/** Whether this machine's C library is the one that is modelled and a C compiler is there. */
export function canRecord(): boolean {
  const library = spawnSync("getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" });
  return library.stdout?.trim() === "glibc 2.36" && spawnSync("cc", ["--version"]).status === 0;
}

/** The answers of the machine's C library to each golden run, in their order. Throws where a program fails. */
export function recordRuns(source: string): Int32Array[] {
  const folder = mkdtempSync(join(tmpdir(), "fraglab-glibc-"));
  try {
    const program = join(folder, "drive");
    const built = spawnSync("cc", ["-O1", "-o", program, source], { encoding: "utf8" });
    if (built.status !== 0) throw new InputError(`cc ${source}: ${built.stderr}`);
    return goldenRuns.map((run) => {
      const { status, stdout } = spawnSync(program, {
        input: Buffer.from(run.operations.buffer),
        env: { GLIBC_TUNABLES: tunablesOf(run) },
        maxBuffer: 1 << 28,
      });
      const bytes = (run.operations.length / 4) * ANSWERS * 4;
      if (status !== 0 || stdout.length !== bytes) throw new InputError(`${run.name}: the driver failed (${status})`);
      return new Int32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + bytes));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1]?.endsWith("make-glibc-golden.js") === true) {
  const out = process.argv[2] ?? "allocators/glibc/golden";
  if (canRecord())
    writeFileSync(join(out, "answers.gz"), gzipSync(packAnswers(recordRuns(join(out, "drive.c"))), { level: 9 }));
  else {
    process.stderr.write("make-glibc-golden: needs glibc 2.36 and a C compiler named cc\n");
    process.exitCode = 1;
  }
}
