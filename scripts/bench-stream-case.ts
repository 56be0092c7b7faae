/**
 * One reading of a compact trace file in a process of its own, so that its largest resident set is that of this case
 * alone; prints times and memory as JSON.
 *
 * Arguments: the file, "verified" or "checksums", an allocator selector or "" for decoding alone. Decoding alone is done
 * by this thread, so that it is the speed of one core; an allocator has its blocks decoded ahead by another one.
 */
import { setFlagsFromString } from "node:v8";
import { milliseconds } from "../harness/clock.js";
import { replayLoopFor } from "../harness/replay.js";
import { reachSafepoint, SEGMENT } from "../harness/safepoint.js";
import { createAddressSpace } from "../memory/address-space.js";
import { InputError } from "../memory/errors.js";
import { readTraceFileInfo } from "../workloads/trace-file.js";
import { readTraceBlocks, type TraceBlock } from "../workloads/trace-stream.js";
import { readTraceBlocksAhead } from "../workloads/trace-stream-ahead.js";
import { streamOptions } from "./stream-options.js";

// What harness/replay.ts allows for processes that have run many allocators: alone, this one is as fast without it, and V8's
// compiler takes 11 MiB less.
setFlagsFromString("--max-inlined-bytecode-size-absolute=4600");

const [file, check, selector] = process.argv.slice(2);

/** A replay that is fed block by block, with its safepoints and without any metric. */
async function replayFrom(name: string, slots: number): Promise<(block: TraceBlock) => void> {
  const { spec, options } = streamOptions(name);
  const space = createAddressSpace();
  const allocator = spec.create(space, options);
  const replaySegment = await replayLoopFor(allocator);
  const refs = new Float64Array(slots);
  return (block) => {
    for (let at = 0; at < block.length; ) {
      const reached = replaySegment(allocator, block, refs, space.log, at, Math.min(at + SEGMENT, block.length));
      if (reached === at) throw new InputError(`${name} has no memory at event ${block.first + at}`);
      at = reached;
      if (at % SEGMENT === 0) reachSafepoint(allocator, block.first + at);
      space.log.clear();
    }
  };
}

const { slots } = await readTraceFileInfo(file);
const replay = selector === "" ? () => undefined : await replayFrom(selector, slots);
const started = milliseconds();
const before = process.cpuUsage();
let events = 0;
const read = selector === "" ? readTraceBlocks : readTraceBlocksAhead;
for await (const block of read(file, check === "verified")) {
  replay(block);
  events += block.length;
}
const wall = milliseconds() - started;
const { user, system } = process.cpuUsage(before);
const residentBytes = 1024 * process.resourceUsage().maxRSS;
process.stdout.write(
  `${JSON.stringify({ events, nsPerEvent: (1e6 * wall) / events, cpuNsPerEvent: (1000 * (user + system)) / events, residentBytes })}\n`,
);
