/** Worker thread: runs one cell at a time. */
import { allocators } from "../allocators/registry.js";
import { type CellAnswer, type CellRequest, cellResultOf } from "./cell.js";
import { runSession } from "./session.js";

/** Runs a cell; an error of any sort is part of the answer. */
export default async function runCell(request: CellRequest): Promise<CellAnswer> {
  try {
    const spec = allocators[request.allocator];
    const result = await runSession(spec, request.options, request.trace, request.settings);
    return { ok: true, result: cellResultOf(result) };
  } catch (error) {
    const { name, message, stack } = error as Error;
    return { ok: false, kind: name, message: name === "InputError" ? message : (stack ?? message) };
  }
}
