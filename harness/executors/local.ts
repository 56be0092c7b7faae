/** Cells on this machine: worker threads, with the traces in shared memory. */
import { Piscina } from "piscina";
import { InputError } from "../../memory/errors.js";
import type { CellAnswer, CellRequest } from "../cell.js";
import type { CellStore } from "../store.js";
import type { Executor } from "./executor.js";

/** Cells at once for each worker: enough to keep it busy, few enough to hold few traces. */
const AHEAD = 3;

/** An executor of `jobs` worker threads, which start with the first cell. */
export function localExecutor(store: CellStore, jobs: number): Executor {
  let pool: Piscina<CellRequest, CellAnswer> | undefined;
  return {
    ahead: jobs * AHEAD,
    async run(cell, request) {
      pool ??= new Piscina<CellRequest, CellAnswer>({
        filename: new URL("../worker.js", import.meta.url).href,
        minThreads: jobs,
        maxThreads: jobs,
        maxQueue: Number.POSITIVE_INFINITY,
      });
      const answer = await pool.run(request);
      if (!answer.ok) {
        if (answer.kind === "InputError") throw new InputError(answer.message);
        const { allocator, workload, seed } = cell;
        throw new Error(`${allocator.selector} on ${workload.selector}, seed ${seed}: ${answer.message}`);
      }
      store.keep(request, answer.result);
      return answer.result;
    },
    planned() {},
    async close() {
      // A pool that is being destroyed takes an answer that comes in the meantime for an error.
      pool?.on("error", () => undefined);
      await pool?.destroy();
    },
  };
}
