/** Files that are whole or absent: everything is written under another name first and then renamed. */
import { mkdirSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError } from "../memory/errors.js";

let serial = 0;

/** What is at a path, or undefined for nothing, also where a part of the path is a file. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Refuses what no file can be renamed to: no name, a folder, a device, a place in a folder that is not there. To be asked
 * before the work, not after it.
 */
export function checkTarget(path: string): void {
  if (path === "") throw new InputError("--out: expected the name of a file");
  const target = lookAt(path);
  if (target?.isDirectory()) throw new InputError(`cannot write ${path}: it is a folder: name a file in it`);
  if (target !== undefined && !target.isFile()) {
    throw new InputError(
      `cannot write ${path}: it is no regular file: name one, or leave --out away for standard output`,
    );
  }
  const folder = dirname(path);
  if (lookAt(folder)?.isDirectory() !== true) {
    throw new InputError(`cannot write ${path}: there is no folder ${folder}: make it first`);
  }
}

const hints: Readonly<Record<string, string>> = {
  EACCES: "no permission: choose another folder with --out",
  EPERM: "no permission: choose another folder with --out",
  EROFS: "the file system is read-only: choose another folder with --out",
  ENOSPC: "the disk is full: make room or choose another folder with --out",
  EDQUOT: "the disk quota is used up: make room or choose another folder with --out",
  ENOTDIR: "a part of the path is a file: choose another folder with --out",
  EEXIST: "a part of the path is a file: choose another folder with --out",
  EISDIR: "it is a folder: choose another name",
  ENOENT: "no such folder: make it first, or choose another one with --out",
  ENAMETOOLONG: "the name is too long: choose another one with --out",
  ELOOP: "the path goes in circles: choose another one with --out",
};

/** A failed write as one line that says what to do, or the error itself where nothing is known about it. */
export function writeError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const hint = code === undefined ? undefined : hints[code];
  return hint === undefined ? error : new InputError(`cannot write ${path}: ${hint}`);
}

/** Another name for a file until it is whole. */
export function draftOf(path: string): string {
  return `${path}.${process.pid}-${serial++}.tmp`;
}

/** Removes a draft, if it is there. */
export function removeDraft(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder itself is missing or cannot be written: then there is no draft.
  }
}

/**
 * Makes a folder and those above it. mkdir's own `recursive` never ends where the system says "no such file" of a place in
 * a folder that is there, as under /proc.
 */
function makeFolder(path: string): void {
  if (lookAt(path)?.isDirectory()) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it in between.
    if (!lookAt(path)?.isDirectory()) throw error;
  }
}

/** Makes a folder for files that are to come, and refuses one that cannot be written: before the work, not after it. */
export function prepareFolder(path: string): void {
  try {
    makeFolder(path);
    const probe = join(path, ".fraglab-writable");
    writeWhole(probe, "");
    rmSync(probe);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Writes a whole file or none, making its folder if needed. Throws an `InputError` where the place cannot be written. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  const draft = draftOf(path);
  try {
    makeFolder(dirname(path));
    writeFileSync(draft, contents);
    renameSync(draft, path);
  } catch (error) {
    removeDraft(draft);
    throw writeError(path, error);
  }
}

/** JSON with sorted keys: equal values give equal bytes. */
export function canonicalJson(value: unknown, indent?: number): string {
  const sorted = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(sorted);
    if (typeof v !== "object" || v === null) return v;
    const entries = Object.entries(v as Record<string, unknown>);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
  };
  return JSON.stringify(sorted(value), null, indent);
}
