import { accessSync, constants, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { writeWhole } from "../harness/files.js";
import { InputError } from "../memory/errors.js";

/** A file that is to be there, whole. */
export interface Change {
  /** The file as messages call it. */
  readonly file: string;
  readonly path: string;
  readonly text: string;
  /** What it holds now; undefined for a file that is not there. */
  readonly old: string | undefined;
}

/** Refuses a folder that is not there or may not be written to. */
function checkFolder({ file, path }: Change): void {
  try {
    if (!statSync(dirname(path)).isDirectory()) throw new Error("no folder");
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new InputError(
      `cannot write ${file}: its folder is not there, or may not be written to: check it; nothing was changed`,
    );
  }
}

/** Writes all of the files or, where one cannot be written, none: an `InputError`, and everything as it was. */
export function writeTogether(changes: readonly Change[]): void {
  changes.forEach(checkFolder);
  const written: Change[] = [];
  try {
    for (const change of changes) {
      writeWhole(change.path, change.text);
      written.push(change);
    }
  } catch (error) {
    for (const { path, old } of written) {
      if (old === undefined) rmSync(path);
      else writeWhole(path, old);
    }
    if (!(error instanceof InputError)) throw error;
    // There is no --out to choose another folder with.
    throw new InputError(`${error.message.replace(/: [^:]*--out$/, "")}; nothing was changed`);
  }
}
