/** Which code this is: the package version for people, a hash of the compiled modules for the cache. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds memory/, allocators/, ...: dist in use, the source tree under the test runner. */
const codeRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of package.json. */
export const packageRoot: string = readdirSync(codeRoot).includes("package.json") ? codeRoot : dirname(codeRoot);

export const version: string = (
  JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }
).version;

/** Folders whose code decides what a cell's result is. */
const deciding = ["memory", "allocators", "harness"];

let hash: string | undefined;

/** 16 hex digits over the code that decides results: a cached cell of other code is never used. */
export function codeVersion(): string {
  if (hash !== undefined) return hash;
  const digest = createHash("sha256").update(version);
  for (const folder of deciding) {
    const files = readdirSync(join(codeRoot, folder), { recursive: true, encoding: "utf8" });
    for (const file of files
      .filter((name) => /(?<!\.test|\.properties|\.bench)\.[jt]s$/.test(name) && !name.endsWith(".d.ts"))
      .sort()) {
      digest.update(file).update(readFileSync(join(codeRoot, folder, file)));
    }
  }
  hash = digest.digest("hex").slice(0, 16);
  return hash;
}
