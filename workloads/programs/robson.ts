import { InputError } from "../../memory/errors.js";
import { isPowerOfTwo } from "../../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import type { ProgramHeap, ProgramSpec } from "../program.js";

/** Options of `robson`. `live` (M in the papers) and `largest` (n) are in words of `word` bytes. */
export interface RobsonOptions {
  live: number;
  largest: number;
  word: number;
  last: "odd-gap" | "plain";
  moved: "kept" | "freed";
}

const options: OptionTable<RobsonOptions> = {
  live: { kind: "integer", min: 2, max: 1 << 24, default: 1024, help: "words that are live at most" },
  largest: { kind: "integer", min: 2, max: 1 << 20, default: 64, help: "words of the largest request, a power of two" },
  word: { kind: "bytes", min: 1, max: 65536, default: 16, help: "bytes of the smallest request" },
  last: {
    kind: "choice",
    values: ["odd-gap", "plain"],
    default: "odd-gap",
    help: "the last step frees by Robson's rule of odd gaps, or like the other steps",
  },
  moved: {
    kind: "choice",
    values: ["kept", "freed"],
    default: "kept",
    help: "a block that was moved is kept, or freed at once, as in the bounds for partial compaction",
  },
};

/** A live block: `at` and `size` are in words, `at` from the lowest block of the first fill. */
interface Held {
  readonly block: number;
  at: number;
  readonly size: number;
}

/** Members of { x : x = f mod step } in [from, to). */
function members(from: number, to: number, f: number, step: number): number {
  return to > from ? Math.max(0, Math.ceil((to - f) / step) - Math.ceil((from - f) / step)) : 0;
}

class Robson {
  private readonly heap: ProgramHeap;
  private readonly given: RobsonOptions;
  private held: Held[] = [];
  private live = 0;
  private origin = 0;
  private moves = 0;

  constructor(heap: ProgramHeap, given: RobsonOptions) {
    this.heap = heap;
    this.given = given;
  }

  run(): void {
    const { heap, given } = this;
    heap.phase("blocks of 1");
    this.fill(1);
    // Addresses count from the lowest word, so that the sets are the same wherever the heap is.
    this.origin = Math.min(...this.held.map(({ at }) => at));
    for (const one of this.held) one.at -= this.origin;
    let f = 0;
    for (let step = 2; step < given.largest || (step === given.largest && given.last === "plain"); step *= 2) {
      heap.phase(`blocks of ${step}`);
      f = this.thinOut(f, step);
      this.fill(step);
    }
    if (given.last === "plain") return;
    heap.phase(`blocks of ${given.largest}`);
    this.freeBetweenEvenGaps(f, given.largest / 2);
    this.fill(given.largest);
  }

  /** Allocates blocks of `size` words while they fit into the live words allowed. */
  private fill(size: number): void {
    const { heap, given } = this;
    while (this.live + size <= given.live) {
      const block = heap.allocate(size * given.word);
      this.live += size;
      this.held.push({ block, at: heap.addressOf(block) / given.word - this.origin, size });
      if (heap.moves !== this.moves) this.seeMoves();
    }
  }

  /** Something has moved: frees what did, or notes where it is now. */
  private seeMoves(): void {
    const { heap, given } = this;
    this.moves = heap.moves;
    const moved = new Set<Held>();
    for (const one of this.held) {
      const at = heap.addressOf(one.block) / given.word - this.origin;
      if (at === one.at) continue;
      one.at = at;
      moved.add(one);
    }
    if (given.moved === "freed") this.release(moved);
  }

  private release(victims: ReadonlySet<Held>): void {
    for (const { block, size } of victims) {
      this.heap.free(block);
      this.live -= size;
    }
    this.held = this.held.filter((one) => !victims.has(one));
  }

  /**
   * Halves the set { x : x = f mod step/2 } to f or f + step/2 mod `step`, whichever makes the blocks without a member
   * lack fewer words in all, and frees these blocks. Returns the offset chosen; of equals the smaller.
   */
  private thinOut(f: number, step: number): number {
    let chosen = f;
    let victims: Held[] = [];
    let least = Number.POSITIVE_INFINITY;
    for (const offset of [f, f + step / 2]) {
      const without = this.held.filter(({ at, size }) => members(at, at + size, offset, step) === 0);
      const lacking = without.reduce((sum, { size }) => sum + step - size, 0);
      if (lacking < least) [chosen, victims, least] = [offset, without, lacking];
    }
    this.release(new Set(victims));
    return chosen;
  }

  /** Of every other block in address order, the half with more words: frees those with an even gap on both sides. */
  private freeBetweenEvenGaps(f: number, step: number): void {
    const blocks = [...this.held].sort((a, b) => a.at - b.at);
    const endOf = (i: number): number => (i < 0 ? 0 : blocks[i].at + blocks[i].size);
    const oddGap = (i: number): boolean =>
      i < blocks.length && members(endOf(i - 1), blocks[i].at, f % step, step) % 2 === 1;
    const words = [0, 1].map((parity) => blocks.reduce((sum, { size }, i) => (i % 2 === parity ? sum + size : sum), 0));
    const parity = words[1] > words[0] ? 1 : 0;
    this.release(new Set(blocks.filter((_, i) => i % 2 === parity && !oddGap(i) && !oddGap(i + 1))));
  }
}

/**
 * Robson's program P_R. Against any allocator that does not move blocks and serves requests of 1 to n words with at most
 * M live, it reaches an extent of M (1 + log2(n) / 2) - n + 1 words at least (n a power of two that divides M). Step j
 * keeps one word in 2^j from being free: it frees all blocks without such a word, and fills up with blocks of 2^j words.
 */
export const robson: ProgramSpec<RobsonOptions> = {
  name: "robson",
  title: "Robson's program: one word in 2^j stays pinned",
  source: "Robson, Bounds for some functions concerning dynamic storage allocation, JACM 21(3), 1974, program P_R",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: [{ largest: 2 }, { live: 2048, word: 4096 }, { last: "plain", moved: "freed" }],
  run(heap, _seed, given) {
    if (!isPowerOfTwo(given.largest))
      throw new InputError(`robson: option largest: ${given.largest} is not a power of two`);
    if (given.live % given.largest !== 0) {
      throw new InputError(`robson: option live: ${given.live} is not a multiple of largest, ${given.largest}`);
    }
    new Robson(heap, given).run();
  },
};
