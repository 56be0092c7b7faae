/** Chore: brings the generated parts of the documentation up to date (`npm run docs`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../harness/files.js";
import { packageRoot } from "../harness/version.js";
import { documents, regenerate } from "./generated-docs.js";

for (const name of documents) {
  const path = join(packageRoot, name);
  writeWhole(path, await regenerate(readFileSync(path, "utf8")));
}
