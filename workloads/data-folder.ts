import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError } from "../memory/errors.js";

/**
 * A folder of `workloads/` that holds data. Data files are not compiled: they stay in the source tree, whether this module
 * runs from there or from dist. Throws an `InputError` where the module is in no package.
 */
export function dataFolder(name: string): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new InputError(`${import.meta.dirname}: is in no package: expected a package.json above it`);
    folder = parent;
  }
  return join(folder, "workloads", name);
}
