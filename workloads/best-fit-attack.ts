import { defaultsOf, type OptionTable } from "../memory/options.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Options of `bestFitAttack`; `largest` is in words of `word` bytes. */
export interface BestFitAttackOptions {
  pairs: number;
  largest: number;
  word: number;
}

const options: OptionTable<BestFitAttackOptions> = {
  pairs: {
    kind: "integer",
    min: 1,
    max: 4000,
    default: 100,
    help: "isolated words in the end; the events grow with its square",
  },
  largest: { kind: "integer", min: 8, max: 1 << 16, default: 32, help: "words of the largest request" },
  word: { kind: "bytes", min: 1, max: 65536, default: 16, help: "bytes of the smallest request" },
};

/**
 * Turns R_(m-2) (F_(m-3) R_1)^k into the same with k + 1, where R is reserved, F free and m = `largest`. Two blocks are
 * appended; the group that they become moves down pair by pair until it meets the lowest block.
 */
class Attack {
  private readonly builder: TraceBuilder;
  private readonly given: BestFitAttackOptions;
  private lowest: number;
  /** The isolated words, in address order. */
  private words: number[] = [];

  constructor(builder: TraceBuilder, given: BestFitAttackOptions) {
    this.builder = builder;
    this.given = given;
    this.lowest = this.reserve(given.largest - 2);
  }

  addPair(): void {
    const { builder } = this;
    const m = this.given.largest;
    const first = this.reserve(m - 2);
    const second = this.reserve(m - 2);
    let left = this.words.pop() ?? -1;
    builder.free(left < 0 ? this.lowest : left);
    builder.free(first);
    // The hole of 2m - 4 words takes m, m - 5 and 1.
    let whole = this.reserve(m);
    let part = this.reserve(m - 5);
    let word = this.reserve(1);
    builder.free(whole);
    builder.free(second);
    const right: number[] = [];
    while (left >= 0) {
      const filler = this.reserve(m - 2);
      const rest = this.reserve(2);
      left = this.words.pop() ?? -1;
      builder.free(left < 0 ? this.lowest : left);
      builder.free(filler);
      whole = this.reserve(m);
      const nextPart = this.reserve(m - 5);
      const nextWord = this.reserve(1);
      builder.free(whole);
      builder.free(rest);
      builder.free(part);
      right.push(word);
      [part, word] = [nextPart, nextWord];
    }
    builder.free(part);
    this.lowest = this.reserve(m - 2);
    this.words = [word, ...right.reverse()];
  }

  private reserve(words: number): number {
    return this.builder.allocate(words * this.given.word);
  }
}

/**
 * Robson's attack on best fit: with m the largest request, K pairs need K + 4m - 10 words live, and best fit that keeps
 * the end of memory as its last resort ends with (m - 2)(K + 2) words. It reads no addresses, so it is a trace; first
 * fit serves the same requests with hardly more than what is live.
 */
export const bestFitAttack: WorkloadSpec<BestFitAttackOptions> = {
  name: "best-fit-attack",
  title: "Robson's attack on best fit",
  source:
    "Robson, Worst case fragmentation of first fit and best fit storage allocation strategies, Computer J. 20(3), 1977",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: [{ pairs: 20, largest: 8 }],
  generate(_seed, given) {
    const builder = new TraceBuilder("best-fit-attack");
    const attack = new Attack(builder, given);
    for (let k = 0; k < given.pairs; k++) attack.addPair();
    return builder.build();
  },
};
