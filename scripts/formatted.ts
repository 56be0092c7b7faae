import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../memory/errors.js";

/**
 * The text of a source file as the tree's Biome writes it, imports in its order. `file` is its path in the tree, for the
 * rules that go by path. Throws an `InputError` where Biome is not installed.
 */
export function formatted(root: string, file: string, text: string): string {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  if (!existsSync(biome))
    throw new InputError(`Biome, which formats ${file}, is not installed: type npm ci in ${root}`);
  const args = [biome, "check", "--write", "--linter-enabled=false", `--stdin-file-path=${file}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    input: text,
    encoding: "utf8",
  });
  if (status === 0) return stdout;
  throw new Error(`Biome failed on ${file}: ${stderr}`);
}
