/** Results of cells, kept by content: code, allocator, options, trace and settings. A killed run goes on where it was. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../memory/errors.js";
import { type CellRequest, type CellResult, isCellResult } from "./cell.js";
import { canonicalJson, writeWhole } from "./files.js";
import { codeVersion } from "./version.js";

/** What decides a cell's result, besides the code. A request is one, with the whole trace. */
export type CellIdentity = Omit<CellRequest, "trace"> & { readonly trace: Pick<CellRequest["trace"], "digest"> };

export interface CellStore {
  /** The stored result, or undefined. A damaged entry counts as absent. */
  find(request: CellIdentity): CellResult | undefined;
  keep(request: CellIdentity, result: CellResult): void;
}

function keyOf(request: CellIdentity): string {
  const { allocator, options, settings, trace } = request;
  const content = canonicalJson({ code: codeVersion(), allocator, options, settings, trace: trace.digest });
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

/** A store in a folder, one file for each cell. */
export function folderStore(folder: string): CellStore {
  const pathOf = (request: CellIdentity): string => {
    const key = keyOf(request);
    return join(folder, key.slice(0, 2), `${key}.json`);
  };
  return {
    find(request) {
      let data: unknown;
      try {
        data = JSON.parse(readFileSync(pathOf(request), "utf8"));
      } catch {
        return undefined;
      }
      return isCellResult(data) ? data : undefined;
    },
    keep(request, result) {
      try {
        writeWhole(pathOf(request), JSON.stringify(result));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        // --out, which the line would speak of, is another folder.
        throw new InputError(
          `cannot write the cache ${folder}: name another folder by FRAGLAB_CACHE, or give --no-cache`,
        );
      }
    },
  };
}

/** A store that forgets. */
export const noStore: CellStore = { find: () => undefined, keep: () => undefined };
