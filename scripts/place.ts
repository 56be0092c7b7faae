/** `fraglab place`: where each allocation went. */
import { once } from "node:events";
import { createWriteStream, renameSync } from "node:fs";
import type { Writable } from "node:stream";
import { allocatorArm } from "../harness/arm.js";
import { checkTarget, draftOf, removeDraft, writeError } from "../harness/files.js";
import { type Placement, placements } from "../harness/place.js";
import { InputError } from "../memory/errors.js";
import { removingDrafts } from "./interrupt.js";
import { type SourceOptions, sourceOf } from "./source.js";

interface PlaceOptions extends SourceOptions {
  readonly allocator: string;
  readonly out?: string;
}

const LINES_PER_WRITE = 4096;

const lineOf = (p: Placement): string => `${p.event}\t${p.address}\t${p.arena ?? "-"}\t${p.offset ?? "-"}\n`;

async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) await once(out, "drain");
  // A turn of the event loop, in which a signal is seen.
  await new Promise((resolve) => setImmediate(resolve));
}

/** Writes all placements; the return value says whether memory ran out. */
async function writeAll(out: Writable, options: PlaceOptions): Promise<boolean> {
  const arm = allocatorArm(options.allocator);
  const { trace } = await sourceOf(options, arm);
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

/** Writes to a draft that is renamed when it is whole. */
async function writeFileWhole(path: string, options: PlaceOptions): Promise<boolean> {
  checkTarget(path);
  const draft = draftOf(path);
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
    const exhausted = await Promise.race([work, failed]);
    renameSync(draft, path);
    return exhausted;
  } catch (error) {
    removeDraft(draft);
    throw writeError(path, error);
  }
}

/**
 * Prints TSV with the header `event address arena offset`, or writes it to a file that is whole or absent. Throws an
 * `InputError` for an allocator without placement.
 */
export async function place(options: PlaceOptions): Promise<void> {
  const { out } = options;
  const { spec } = allocatorArm(options.allocator);
  if (spec.placeless) {
    throw new InputError(
      `--allocator ${spec.name}: is a bound, whose blocks have no addresses: place with a real allocator, or measure the bound with \`fraglab replay\``,
    );
  }
  const exhausted =
    out === undefined
      ? await writeAll(process.stdout, options)
      : await removingDrafts(out, () => writeFileWhole(out, options));
  if (exhausted) {
    process.stderr.write(
      "fraglab: the allocator ran out of memory before the trace ended; the placements up to there are written\n",
    );
    process.exitCode = 1;
  }
}
