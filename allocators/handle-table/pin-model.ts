import { grown } from "../../memory/columns.js";
import type { HandleEntries } from "./handle-entries.js";

/** Which objects are taken to be pinned beside those that the program pins. */
export interface PinOptions {
  pins: "events" | "bernoulli" | "sticky" | "window";
  /** Chance of an object to be pinned. */
  pinShare: number;
  /** Operations that an object of the window model stays pinned after the program touched it. */
  pinWindow: number;
  /** Seed of the chances. */
  pinSeed: number;
}

const TWO32 = 4294967296;

/** A number in [0, 1) that depends on three whole ones: MurmurHash3's mixing (Appleby, public domain). */
export function chanceOf(a: number, b: number, c: number): number {
  let hash = 0;
  for (const word of [a, b, c]) {
    let k = Math.imul(word | 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= 12;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / TWO32;
}

/**
 * Pins that a trace does not show. `bernoulli`: the stacks of the threads at a barrier hold each object with some chance,
 * anew in each pass (Alaska's case). `sticky`: an address has escaped for the object's life, as of a buffer under I/O.
 * `window`: for some operations after each time the program touched the object, with some chance for each object.
 *
 * Such pins are seen by passes only: they cost the program nothing and delay no free.
 */
export class PinModel {
  private readonly entries: HandleEntries;
  private readonly kind: PinOptions["pins"];
  private readonly share: number;
  private readonly window: number;
  private readonly seed: number;
  private passes = 0;
  /** Operations so far, and at the last touch of each entry's object. */
  private operations = 0;
  private touched = new Float64Array(0);

  constructor(entries: HandleEntries, options: PinOptions) {
    this.entries = entries;
    this.kind = options.pins;
    this.share = options.pinShare;
    this.window = options.pinWindow;
    this.seed = options.pinSeed;
  }

  /** Whether `operated` wants to be told. */
  get watches(): boolean {
    return this.kind === "window";
  }

  /** The program has done something, with the object of entry `index` or, where that is negative, with none that lives. */
  operated(index: number): void {
    this.operations++;
    if (index < 0) return;
    if (index >= this.touched.length) {
      this.touched = grown(this.touched, Math.max(1024, 2 * index), Number.NEGATIVE_INFINITY);
    }
    this.touched[index] = this.operations;
  }

  /** A pass begins. */
  startPass(): void {
    this.passes++;
  }

  /** Whether the object of a live entry must stay in this pass. */
  holds(index: number): boolean {
    switch (this.kind) {
      case "events":
        return false;
      case "bernoulli":
        return this.chance(index, this.passes) < this.share;
      case "sticky":
        return this.chance(index, 0) < this.share;
      case "window":
        return this.operations - this.touched[index] < this.window && this.chance(index, 0) < this.share;
    }
  }

  /** Whether the next pass might find the object free to move: each pass of `bernoulli` draws anew. */
  mayMove(index: number): boolean {
    return this.kind === "bernoulli" ? this.share < 1 : !this.holds(index);
  }

  private chance(index: number, pass: number): number {
    return chanceOf(this.seed ^ Math.imul(pass, 0x9e3779b1), index, this.entries.generationOf(index));
  }
}
