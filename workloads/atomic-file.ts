import type { FileHandle } from "node:fs/promises";
import { open, rename, unlink } from "node:fs/promises";
import { fileError } from "./file-errors.js";

let written = 0;

/**
 * Writes a file under a temporary name beside `path` and renames it when `fill` is done, so nobody ever sees half a file.
 * Throws an `InputError` where the place cannot be written; then nothing is left behind.
 */
export async function writeAtomically(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}-${written++}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await fill(file);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw fileError(path, error);
  }
}
