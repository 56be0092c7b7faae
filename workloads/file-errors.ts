import { statSync } from "node:fs";
import { InputError } from "../memory/errors.js";
import type { Trace } from "./trace.js";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file: check the path",
  ENOTDIR: "no such file: a part of the path is not a directory",
  EISDIR: "is a directory: name a trace file in it",
  EACCES: "permission denied: make it readable, or choose a folder that can be written",
  EPERM: "permission denied: make it readable, or choose a folder that can be written",
  ENOSPC: "no space left on the device: free some, or write elsewhere",
  EROFS: "the file system is read-only: write elsewhere",
};

/**
 * Refuses a pipe, a socket or a device, before it is opened: traces are read twice, at any place, and to open a pipe that
 * nobody writes would wait. What is not there, and a directory, pass.
 */
export function refusePipe(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile() || found.isDirectory()) return;
  throw new InputError(`${path}: is no regular file: expected a file, not a pipe or a device; save it to a file first`);
}

/** What the operating system or zlib said about a file, as a caller's mistake of one line. Input errors pass through. */
export function fileError(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = reasons[code];
  if (reason !== undefined) return new InputError(`${path}: ${reason}`);
  if (code === "Z_BUF_ERROR") {
    return new InputError(`${path}: the gzip data end too early: the file is cut short; copy or record it again`);
  }
  if (code.startsWith("ZSTD_")) {
    return new InputError(
      `${path}: the zstd data are damaged or cut short (${messageOf(error)}): copy or record the file again`,
    );
  }
  if (code.startsWith("Z_") || code === "ERR_TRAILING_JUNK_AFTER_STREAM_END") {
    return new InputError(`${path}: the gzip data are damaged (${messageOf(error)}): copy or record the file again`);
  }
  if (code !== "") return new InputError(`${path}: ${messageOf(error)} (${code})`);
  throw error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : String(error);
}

/** Why a trace with uses of freed blocks is not written: no file form has them. */
export function staleFault(trace: Trace, event: number): InputError {
  return new InputError(
    `${trace.name}: event ${event}: a use of a freed block: expected none in a trace that is written`,
  );
}
