import { InputError } from "../memory/errors.js";

/** The form of a trace file that the ending of its name asks for. Throws an `InputError` for any other ending. */
export function traceForm(path: string): "compact" | "text" {
  if (path.endsWith(".fgt")) return "compact";
  if (/\.(trace|txt)(\.gz)?$/.test(path)) return "text";
  throw new InputError(`${path}: expected a name that ends in .fgt (compact), .trace, .txt, .trace.gz or .txt.gz`);
}
