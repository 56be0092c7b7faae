/** `fraglab new`: the first version of an allocator, a workload, a reader, a metric or an experiment, in a source tree. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { packageRoot } from "../harness/version.js";
import { InputError, unknownName } from "../memory/errors.js";
import { formatted } from "./formatted.js";
import { type Addition, type Kind, kinds } from "./new-kinds.js";
import { checkName, checkWords, spellings } from "./new-name.js";
import { type Change, writeTogether } from "./write-together.js";

/** The folder of the models' files. */
const MODELS = "scripts/scaffold";

/** Refuses a package that was installed: what is written there is gone with the next update, and nothing builds it. */
function checkSourceTree(): void {
  if (existsSync(join(packageRoot, MODELS)) && existsSync(join(packageRoot, "allocators/registry.ts"))) return;
  throw new InputError(
    `new writes source files, and ${packageRoot} has none: clone the repository, type npm ci there, and use its fraglab`,
  );
}

const textOf = (file: string): string => readFileSync(join(packageRoot, file), "utf8");
const modelText = (name: string): string => textOf(`${MODELS}/${name}.txt`);

/** The text of a file with lines added where `addition` says. Throws an `InputError` where that place is not there. */
function withLines(text: string, { file, list, first = false }: Addition, lines: string): string {
  const start = list === undefined ? text.search(/^import /m) : `\n${text}`.indexOf(`\n${list}`);
  const afterOpening = text.indexOf("\n", start) + 1;
  const closing = text.slice(afterOpening).search(/^[}\]];$/m);
  if (start < 0 || (list !== undefined && !first && closing < 0)) {
    const place = list === undefined ? "imports" : `a list that begins with "${list}"`;
    throw new InputError(`${file}: expected ${place}, to add ${JSON.stringify(lines)} there: mend the file`);
  }
  const at = list === undefined ? start : first ? afterOpening : afterOpening + closing;
  return `${text.slice(0, at)}${lines.trimEnd()}\n${text.slice(at)}`;
}

/** Every file that is to be written, whole, by its path in the tree. */
function filesOf(kind: Kind, spelt: (text: string) => string): Map<string, string> {
  const files = new Map(kind.files.map((file) => [spelt(file), spelt(modelText(basename(file)))]));
  for (const addition of kind.additions) {
    const { file, lines } = addition;
    // Where both are one word, the short form of `"word": word`.
    const more = spelt(typeof lines === "string" ? lines : modelText(lines.model)).replace(/^"(\w+)": \1,$/, "$1,");
    files.set(file, withLines(files.get(file) ?? textOf(file), addition, more));
  }
  return files;
}

/** What is said in the end: which files there are now, and what to type. */
function report(kind: Kind, spelt: (text: string) => string, changes: readonly Change[]): string {
  const elsewhere = process.cwd() === packageRoot ? "" : ` in ${packageRoot}`;
  const next = kind.next.map(([command, why]) => `  ${spelt(command)}\n      ${why}`);
  return [
    `Wrote${elsewhere}:`,
    ...changes.map(({ file, old }) => `  ${file}${old === undefined ? "" : " (added to)"}`),
    "",
    `It works as it is; replace its policy with yours. Next${elsewhere}:`,
    "  npm run build",
    ...next,
    "",
    `More: ${kind.page}`,
    "",
  ].join("\n");
}

/**
 * Writes the first version of a `word` (a kind) called `name`, and prints what to do next. Throws an `InputError`, with
 * nothing written, for an unknown kind, a name that is none or taken, and a tree that cannot be written.
 */
export function begin(word: string, name: string): void {
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (kind === undefined) throw unknownName("kind", word, Object.keys(kinds));
  checkSourceTree();
  checkName(word, name, kind.camel === true, kind.taken());
  const spelt = spellings(kind.model, name);
  for (const file of kind.files.map(spelt)) {
    if (existsSync(join(packageRoot, file)))
      throw new InputError(`${file} is there already: choose another name, or remove the file`);
  }
  const sources = kind.additions.filter(({ list }) => list === undefined).map(({ file }) => textOf(file));
  checkWords(kind.model, name, modelText(basename(kind.files[0])), sources);
  const files = filesOf(kind, spelt);
  const isNew = new Set(kind.files.map(spelt));
  const changes = [...files].map(([file, text]) => {
    const path = join(packageRoot, file);
    const whole = file.endsWith(".ts") ? formatted(file, text) : text;
    return { file, path, text: whole, old: isNew.has(file) ? undefined : textOf(file) };
  });
  writeTogether(changes);
  process.stdout.write(report(kind, spelt, changes));
}
