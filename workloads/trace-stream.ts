/** Compact trace files block by block, in memory that does not depend on their length. */
import { setImmediate as turn } from "node:timers/promises";
import { fileError } from "./file-errors.js";
import { BLOCK_EVENTS } from "./trace-block.js";
import { BlockDecoder, type BlockTarget } from "./trace-block-decoder.js";
import { sharedBytes, sharedInts, sharedSizes } from "./trace-columns.js";
import { TraceDigest } from "./trace-digest.js";
import type { TraceFileInfo } from "./trace-file-layout.js";
import { type Frame, TraceSource } from "./trace-source.js";

/** Consecutive events of a trace, as columns whose index 0 is event `first`. */
export interface TraceBlock extends BlockTarget {
  readonly first: number;
  readonly length: number;
}

/**
 * Reads a trace block by block. A block is valid until `buffers` more have been asked for; the digest is checked behind the
 * last, unless `verify` is false: then checksums alone guard against damage, and that the file holds what its digest
 * names is left to a reading that verifies. Errors are those of `readTraceFile`.
 */
export async function* readTraceBlocks(path: string, verify = true, buffers = 1): AsyncGenerator<TraceBlock, void> {
  const source = TraceSource.open(path);
  try {
    const { slots, events, largestSize } = source.info;
    const targets = Array.from({ length: buffers }, () => targetFor(source.info));
    const decoder = new BlockDecoder(slots, events, largestSize);
    const digest = new TraceDigest(events);
    let blocks = 0;
    for (const frame of source.frames()) {
      const target = targets[blocks++ % buffers];
      source.decode(decoder, frame, target, 0);
      const block = blockOf(frame, target);
      if (verify) digest.update(block.op, block.slot, block.size, block.site);
      yield block;
      await turn();
    }
    source.checkTotals(decoder);
    if (!verify) return;
    const threads = { at: Uint32Array.from(decoder.switchAt), id: Uint32Array.from(decoder.switchId) };
    source.checkDigest(digest.finish(decoder.labels, threads, decoder.siteNames));
  } catch (error) {
    throw fileError(path, error);
  } finally {
    source.close();
  }
}

function targetFor({ events, largestSize, hasSites }: TraceFileInfo): BlockTarget {
  const capacity = Math.min(events, BLOCK_EVENTS);
  return {
    op: sharedBytes(capacity),
    slot: sharedInts(capacity),
    size: sharedSizes(capacity, largestSize),
    site: sharedInts(hasSites ? capacity : 0),
  };
}

function blockOf({ first, events: length }: Frame, { op, slot, size, site }: BlockTarget): TraceBlock {
  return {
    first,
    length,
    op: op.subarray(0, length),
    slot: slot.subarray(0, length),
    size: size.subarray(0, length),
    site: site.subarray(0, length),
  };
}
