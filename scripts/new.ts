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
function checkSourceTree(root: string): void {
  if (existsSync(join(root, MODELS)) && existsSync(join(root, "allocators/registry.ts"))) return;
  throw new InputError(
    `new writes source files, and ${root} has none: clone the repository, type npm ci there, and use its fraglab`,
  );
}

/** A file of the source tree. Throws an `InputError` where it is not there. */
function textOf(root: string, file: string): string {
  if (existsSync(join(root, file))) return readFileSync(join(root, file), "utf8");
  throw new InputError(`${join(root, file)} is missing: bring it back (git restore ${file})`);
}

const modelText = (root: string, name: string): string => textOf(root, `${MODELS}/${name}.txt`);

/** The text of a file with lines added where `addition` says. Throws an `InputError` where that place is not there. */
function withLines(text: string, { file, list, first = false }: Addition, lines: string): string {
  const opening = list === undefined ? text.search(/^import /m) : `\n${text}`.indexOf(`\n${list}`);
  const ending = list === undefined ? /;\n/ : first ? /\n/ : /\n(?=[}\]];)/;
  const end = ending.exec(text.slice(opening));
  if (opening < 0 || end === null) {
    const place = list === undefined ? "imports" : `a list that begins with "${list}"`;
    throw new InputError(`${file}: expected ${place}, to add ${JSON.stringify(lines)} there: mend the file`);
  }
  const at = opening + end.index + end[0].length;
  return `${text.slice(0, at)}${lines.trimEnd()}\n${text.slice(at)}`;
}

/** Every file that is to be written, whole, by its path in the tree. */
function filesOf(root: string, kind: Kind, spelt: (text: string) => string): Map<string, string> {
  const files = new Map(kind.files.map((file) => [spelt(file), spelt(modelText(root, basename(file)))]));
  for (const addition of kind.additions) {
    const { file, lines } = addition;
    const spelled = spelt(typeof lines === "string" ? lines : modelText(root, lines.model));
    // Where both are one word, the short form of `"word": word`.
    const short = spelled.replace(/^"(\w+)": \1,$/, "$1,");
    files.set(file, withLines(files.get(file) ?? textOf(root, file), addition, short));
  }
  return files;
}

/** What is said in the end: which files there are now, and what to type. */
function report(root: string, kind: Kind, spelt: (text: string) => string, changes: readonly Change[]): string {
  const elsewhere = process.cwd() === root ? "" : ` in ${root}`;
  const next = kind.next.map(([command, why]) => `  ${spelt(command)}\n      ${why}`);
  return [
    `Wrote${elsewhere}:`,
    ...changes.map(({ file, old }) => `  ${file}${old === undefined ? "" : " (added to)"}`),
    "",
    `It works as it is: make it yours. Next${elsewhere}:`,
    ...next,
    "",
    `More: ${kind.page}`,
    "",
  ].join("\n");
}

/**
 * Writes the first version of a `word` (a kind) called `name` into the source tree at `root`, and prints what to do next.
 * Throws an `InputError`, with nothing written, for an unknown kind, a name that is none or taken, and a tree that cannot
 * be written.
 */
export function begin(word: string, name: string, root: string = packageRoot): void {
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (kind === undefined) throw unknownName("kind", word, Object.keys(kinds));
  checkSourceTree(root);
  checkName(word, name, kind.camel === true, kind.taken());
  const spelt = spellings(kind.model, name);
  for (const file of kind.files.map(spelt)) {
    if (existsSync(join(root, file)))
      throw new InputError(`${file} is there already: choose another name, or remove the file`);
  }
  const sources = kind.additions.filter(({ list }) => list === undefined).map(({ file }) => textOf(root, file));
  checkWords(kind.model, name, modelText(root, basename(kind.files[0])), sources);
  const files = filesOf(root, kind, spelt);
  const isNew = new Set(kind.files.map(spelt));
  const changes = [...files].map(([file, text]) => {
    const path = join(root, file);
    const whole = file.endsWith(".ts") ? formatted(root, file, text) : text;
    return { file, path, text: whole, old: isNew.has(file) ? undefined : textOf(root, file) };
  });
  writeTogether(changes);
  process.stdout.write(report(root, kind, spelt, changes));
}
