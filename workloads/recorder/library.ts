/** Builds the recorder: a C library that LD_PRELOAD puts beneath a program. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InputError } from "../../memory/errors.js";

const FLAGS = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-builtin", "-pthread"];

/** The source is not compiled with the rest: it stays in the source tree, whether this module runs from there or from dist. */
function sourcePath(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new InputError(`${import.meta.dirname}: is in no package: expected a package.json above it`);
    folder = parent;
  }
  return join(folder, "workloads", "recorder", "recorder.c");
}

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
  const { command, version } = compiler();
  const source = sourcePath();
  const flags = sites ? [...FLAGS, "-DFRAGLAB_SITES"] : FLAGS;
  const key = createHash("sha256").update(readFileSync(source)).update(version).update(flags.join(" ")).digest("hex");
  const path = resolve(cache, "recorder", `${key.slice(0, 16)}.so`);
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
    const said = (build.stderr || String(build.error ?? `status ${build.status}, and no library`))
      .trim()
      .split("\n")[0];
    throw new InputError(`${command} cannot build ${source}: ${said}; name another compiler with CC=...`);
  }
  renameSync(draft, path);
  return path;
}
