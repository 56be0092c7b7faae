/** `fraglab place`: where each allocation went. */
import { once } from "node:events";
import { createWriteStream, renameSync } from "node:fs";
import type { Writable } from "node:stream";
import { allocatorArm } from "../harness/arm.js";
import { removeDraft, writeError } from "../harness/files.js";
import { type Placement, placements } from "../harness/place.js";
import { type SourceOptions, sourceOf } from "./source.js";

interface PlaceOptions extends SourceOptions {
  readonly allocator: string;
  readonly out?: string;
}

const LINES_PER_WRITE = 4096;

const lineOf = (p: Placement): string => `${p.event}\t${p.address}\t${p.arena ?? "-"}\t${p.offset ?? "-"}\n`;

async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) await once(out, "drain");
}

/** Writes all placements; the return value says whether memory ran out. */
async function writeAll(out: Writable, options: PlaceOptions): Promise<boolean> {
  const arm = allocatorArm(options.allocator);
  const { trace } = await sourceOf(options);
  const run = placements(arm, trace);
  let lines = "event\taddress\tarena\toffset\n";
  let count = 0;
  for (;;) {
    const { value, done } = run.next();
    if (done) {
      await write(out, lines);
      return value === "exhausted";
    }
    lines += lineOf(value);
    if (++count % LINES_PER_WRITE === 0) {
      await write(out, lines);
      lines = "";
    }
  }
}

/** Prints TSV with the header `event address arena offset`, or writes it to a file that is whole or absent. */
export async function place(options: PlaceOptions): Promise<void> {
  let exhausted: boolean;
  if (options.out === undefined) {
    exhausted = await writeAll(process.stdout, options);
  } else {
    const draft = `${options.out}.${process.pid}.tmp`;
    try {
      const file = createWriteStream(draft);
      const failed = once(file, "error").then(([error]) => Promise.reject(error as Error));
      const work = (async () => {
        await once(file, "open");
        const ended = await writeAll(file, options);
        file.end();
        await once(file, "close");
        return ended;
      })();
      exhausted = await Promise.race([work, failed]);
      renameSync(draft, options.out);
    } catch (error) {
      removeDraft(draft);
      throw writeError(options.out, error);
    }
  }
  if (exhausted) {
    process.stderr.write(
      "fraglab: the allocator ran out of memory before the trace ended; the placements up to there are written\n",
    );
    process.exitCode = 1;
  }
}
