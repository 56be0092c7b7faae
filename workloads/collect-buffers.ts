import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// V8 puts its collector, which is otherwise hidden, into contexts made from here on, and this one is thrown away.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;

/** What a collection of young objects may leave before all are collected. */
const SLACK_BYTES = 8 << 20;

/** The least that was alive since all were collected. */
let least = Number.POSITIVE_INFINITY;

/**
 * Has V8 free dead buffers now. For code that makes large ones and few objects: V8 goes by the objects, and would let more
 * than 32 MiB of them gather in each thread. Young ones are freed in a tenth of a millisecond, by Node 20 at least; Node 24
 * needs some milliseconds more now and then.
 */
export function collectBuffers(): void {
  collect({ type: "minor" });
  const alive = memoryUsage().arrayBuffers;
  if (alive <= least + SLACK_BYTES) {
    least = Math.min(least, alive);
  } else {
    collect();
    least = memoryUsage().arrayBuffers;
  }
}

/** Bytes of dead buffers that may gather between two collections. */
const GARBAGE_BYTES = 1 << 22;

/** Counts the bytes of large buffers as they die, and has them collected now and then. */
export class Garbage {
  private bytes = 0;

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= GARBAGE_BYTES) return;
    collectBuffers();
    this.bytes = 0;
  }
}
