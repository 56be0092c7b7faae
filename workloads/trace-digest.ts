/** The digest of a trace: the same for the same requests, in whatever form they are stored. */
import { createHash } from "node:crypto";
import { endianness } from "node:os";
import type { Trace } from "./trace.js";

/** Events hashed at a time. Part of the definition of the digest. */
const CHUNK = 65536;
const NARROW = Uint8Array.of(4);
const WIDE = Uint8Array.of(8);
const swapped = endianness() === "BE";

/** The bytes of a column in little-endian order. */
function bytesOf(column: Uint32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  if (!swapped) return bytes;
  const copy = Buffer.from(bytes);
  return column.BYTES_PER_ELEMENT === 4 ? copy.swap32() : copy.swap64();
}

/** Takes the digest of a trace whose events come in pieces; every piece but the last has a multiple of 65536 events. */
export class TraceDigest {
  private readonly hash = createHash("sha256");

  /** `length`: events of the whole trace. */
  constructor(length: number) {
    this.hash.update(`fraglab trace 1 ${length}\n`);
  }

  /** `site` is empty where the trace has no sites. */
  update(op: Uint8Array, slot: Uint32Array, size: Uint32Array | Float64Array, site: Uint32Array): void {
    for (let start = 0; start < op.length; start += CHUNK) {
      const end = start + CHUNK;
      this.hash.update(op.subarray(start, end)).update(bytesOf(slot.subarray(start, end)));
      this.updateSizes(size.subarray(start, end));
      if (site.length > 0) this.hash.update(bytesOf(site.subarray(start, end)));
    }
  }

  /** The first 16 hex digits; nothing can be added afterwards. */
  finish(labels: readonly string[], threads: Trace["threads"], siteNames: readonly string[]): string {
    this.hash.update(JSON.stringify(labels));
    this.hash.update(bytesOf(threads.at)).update(bytesOf(threads.id));
    if (siteNames.length > 0) this.hash.update(JSON.stringify(siteNames));
    return this.hash.digest("hex").slice(0, 16);
  }

  /** Sizes are hashed as 32-bit integers wherever a whole chunk fits, so a column of doubles gives the same digest. */
  private updateSizes(sizes: Uint32Array | Float64Array): void {
    if (sizes instanceof Float64Array && sizes.some((size) => size > 0xffffffff)) {
      this.hash.update(WIDE).update(bytesOf(sizes));
    } else {
      const narrow = sizes instanceof Uint32Array ? sizes : Uint32Array.from(sizes);
      this.hash.update(NARROW).update(bytesOf(narrow));
    }
  }
}

/**
 * The first 16 hex digits of a SHA-256 over op, slot, size and site in chunks of 65536 events, the labels, the thread
 * switches and the names of the sites; a trace without sites has none of the two parts that are about them. The name of
 * the trace is not part of it.
 */
export function digestOf(trace: Omit<Trace, "digest">): string {
  const digest = new TraceDigest(trace.length);
  digest.update(trace.op, trace.slot, trace.size, trace.sites.of);
  return digest.finish(trace.labels, trace.threads, trace.sites.names);
}
