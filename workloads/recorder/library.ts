/** Builds the recorder: a C library that LD_PRELOAD puts beneath a program. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InputError } from "../../memory/errors.js";
import { dataFolder } from "../data-folder.js";

const FLAGS = ["-std=gnu11", "-O2", "-pthread"];
const LIBRARY = [...FLAGS, "-fPIC", "-shared", "-fvisibility=hidden", "-fno-builtin"];

/** The first compiler that runs, with what it says of itself. */
function compiler(): { readonly command: string; readonly version: string } {
  const wanted = process.env["CC"];
  const known = wanted === undefined || wanted === "" ? ["cc", "gcc", "clang"] : [wanted];
  for (const command of known) {
    const run = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (run.status === 0) return { command, version: run.stdout };
  }
  throw new InputError(
    `recording needs a C compiler, and none of ${known.join(", ")} runs: install gcc or clang, or name one with CC=...`,
  );
}

/**
 * The path of the built library, with call sites or without. It is built once for each source and compiler and kept in
 * `cache`. Throws an `InputError` of one line where there is no compiler, it fails, or the system is not Linux.
 */
export function recorderLibrary(cache: string, sites: boolean): string {
  if (process.platform !== "linux")
    throw new InputError(`recording needs Linux, and this is ${process.platform}: record there and copy the trace`);
  return built(cache, "recorder.c", sites ? [...LIBRARY, "-DFRAGLAB_SITES"] : LIBRARY, ".so");
}

/** The path of the built program whose requests the bench of the recorder times; `load.c` says how it is called. */
export function loadProgram(cache: string): string {
  return built(cache, "load.c", FLAGS, "");
}

function built(cache: string, file: string, flags: readonly string[], ending: string): string {
  const { command, version } = compiler();
  const source = join(dataFolder("recorder"), file);
  const key = createHash("sha256").update(readFileSync(source)).update(version).update(flags.join(" ")).digest("hex");
  const path = resolve(cache, "recorder", `${key.slice(0, 16)}${ending}`);
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch {
    throw new InputError(`${dirname(path)}: cannot be made: choose another cache folder with FRAGLAB_CACHE`);
  }
  const build = spawnSync(command, [...flags, "-o", draft, source, "-ldl"], { encoding: "utf8" });
  if (build.status !== 0 || !existsSync(draft)) {
    rmSync(draft, { force: true });
    const said = (build.stderr || String(build.error ?? `status ${build.status}, and no output`)).trim().split("\n")[0];
    throw new InputError(`${command} cannot build ${source}: ${said}; name another compiler with CC=...`);
  }
  renameSync(draft, path);
  return path;
}
