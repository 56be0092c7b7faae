/**
 * Runs of pages of jemalloc 4.0.3 (arena.c, chunk.c): cut from chunks of one size, each with a header that holds the map
 * of its pages. What is larger than a chunk holds has chunks of its own.
 *
 * Linux maps from high addresses to low, so that the lowest chunk is the one mapped last. Here chunks have ascending
 * addresses and are compared the other way round.
 */
import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { IndexList } from "../../memory/index-list.js";
import { ExtentCache } from "./extent-cache.js";
import { type PageRuns, State } from "./page-runs.js";
import { PAGE } from "./size-classes.js";

const { active: ACTIVE, dirty: DIRTY, retained: RETAINED, header: HEADER } = State;

/** Addresses set aside: 32 GiB. */
const RESERVED = 0x800000000;
const MAX_PAGES = RESERVED / PAGE;
/** Bytes of a header: offsetof(arena_chunk_t, map_bits), and the two map entries of each page behind it. */
const HEADER_FIXED = 120;
const HEADER_PER_PAGE = 104;
/** None. */
const NO_CHUNK = -1;

export class ChunkRuns implements PageRuns {
  readonly base: Address;
  readonly largestPadded: number;
  end = 0;
  used = 0;
  dirty = 0;
  active = 0;
  state = new Uint8Array(0);
  pages = new Int32Array(0);
  serial = new Int32Array(0);
  place = new Int32Array(0);
  first = new Int32Array(0);
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  /** Pages of a chunk, of its header, and behind the header. */
  private readonly chunk: number;
  private readonly bias: number;
  private readonly most: number;
  /** Unused runs, dirty or not (runs_avail); unused chunks with their pages, and without. */
  private readonly runs: ExtentCache;
  private readonly cached: ExtentCache;
  private readonly retained: ExtentCache;
  /** Dirty runs and cached chunks, the one unused for longest first (runs_dirty). */
  private readonly lru = new IndexList(1);
  /** First page of the one chunk that is kept when all its pages are unused. */
  private spare = NO_CHUNK;

  /** No chunks yet: each is to have `chunk` pages. Large requests that fit in one come with `pad` pages on top. */
  constructor(space: AddressSpace, pad: number, chunk: number) {
    this.base = space.reserve(RESERVED, chunk * PAGE);
    this.space = space;
    this.costs = space.costs;
    this.chunk = chunk;
    this.bias = headerPages(chunk);
    this.most = chunk - this.bias;
    // arena_maxclass: the class below a chunk.
    this.largestPadded = chunk * PAGE * (7 / 8);
    this.runs = new ExtentCache(this, space.costs, pad, 31);
    this.cached = new ExtentCache(this, space.costs, 0, 31);
    this.retained = new ExtentCache(this, space.costs, 0, 31);
  }

  allocate(pages: number, alignment: number): number {
    if (pages + alignment > MAX_PAGES) return -1;
    const at = pages + alignment - 1 <= this.most ? this.takeRun(pages, alignment) : this.takeChunks(pages, alignment);
    if (at < 0) return at;
    this.active += this.pages[at];
    this.used = Math.max(this.used, at + this.pages[at]);
    return at;
  }

  free(at: number, unwanted: boolean): void {
    this.active -= this.pages[at];
    if (unwanted) this.release(at);
    if (this.isChunks(at)) this.putChunks(at, unwanted ? RETAINED : DIRTY);
    else this.putRun(at, unwanted ? RETAINED : DIRTY);
  }

  shrink(at: number, pages: number, unwanted: boolean): boolean {
    const left = this.isChunks(at) ? this.inChunks(pages) : pages;
    if (this.isChunks(at) && pages <= this.most) return false;
    if (left < this.pages[at]) {
      this.split(at, left);
      this.free(at + left, unwanted);
    }
    return true;
  }

  /** Chunks of their own do not grow here: chunk.c asks the system for the addresses behind them. */
  expand(at: number, pages: number): boolean {
    if (this.isChunks(at)) return pages <= this.pages[at];
    const next = at + this.pages[at];
    const more = pages - this.pages[at];
    if (next % this.chunk === 0 || this.state[next] < DIRTY || this.pages[next] < more) return false;
    this.cutRun(next, more);
    this.merge(at, next);
    this.active += more;
    this.used = Math.max(this.used, at + pages);
    return true;
  }

  purgeTo(limit: number): void {
    while (this.dirty > limit) {
      const at = this.lru.first(0);
      this.release(at);
      if (this.isChunks(at)) {
        this.take(at, this.cached);
        this.putChunks(at, RETAINED);
      } else if (at - this.bias === this.spare) {
        this.forget(at);
        this.mark(at, this.most, RETAINED);
      } else {
        this.take(at, this.runs);
        this.putRun(at, RETAINED);
      }
    }
  }

  forEach(visit: (at: number, pages: number, state: number) => void): void {
    for (let at = 0; at < this.end; at += this.pages[at]) visit(at, this.pages[at], this.state[at]);
  }

  /** Headers are in the chunks. The tree of all chunks and the nodes of unused ones are not charged. */
  walkDescriptors(): void {}

  /** arena_run_first_best_fit: the lowest of the smallest runs that are large enough, else one from another chunk. */
  private takeRun(pages: number, alignment: number): number {
    let run = this.runs.bestFit(pages + alignment - 1);
    if (run < 0) run = this.addChunk();
    if (run < 0) return run;
    const over = (this.base / PAGE + run) % alignment;
    const lead = over === 0 ? 0 : alignment - over;
    const state = this.state[run];
    this.cutRun(run, lead + pages);
    if (lead === 0) return run;
    this.split(run, lead);
    this.putRun(run, state);
    return run + lead;
  }

  /** Takes the first pages of an unused run; the rest stays unused. */
  private cutRun(run: number, pages: number): void {
    const state = this.state[run];
    this.take(run, this.runs);
    if (this.pages[run] > pages) {
      this.split(run, pages);
      this.put(run + pages, state, this.runs);
    }
  }

  /** Puts a run that is in no list among the unused, joined with its neighbours of the same state (arena_run_dalloc). */
  private putRun(run: number, state: number): void {
    let at = run;
    const next = at + this.pages[at];
    if (next % this.chunk !== 0 && this.state[next] === state) {
      this.take(next, this.runs);
      this.join(at, next);
    }
    if (this.state[at - 1] === state) {
      const previous = this.first[at - 1];
      this.take(previous, this.runs);
      this.join(previous, at);
      at = previous;
    }
    if (this.pages[at] < this.most) this.put(at, state, this.runs);
    else this.putSpare(at, state);
  }

  /** A chunk is unused but for its header: it is the spare one, and what was that goes (arena_chunk_dalloc). */
  private putSpare(run: number, state: number): void {
    const before = this.spare;
    this.spare = run - this.bias;
    this.mark(run, this.most, state);
    if (state === DIRTY) this.remember(run);
    if (before === NO_CHUNK) return;
    if (this.state[before + this.bias] === DIRTY) this.forget(before + this.bias);
    this.mark(before, this.chunk, ACTIVE);
    this.putChunks(before, DIRTY);
  }

  /** The run of a chunk that has just been taken into use, or -1. */
  private addChunk(): number {
    let chunk = this.spare;
    if (chunk !== NO_CHUNK) {
      const run = chunk + this.bias;
      const state = this.state[run];
      if (state === DIRTY) this.forget(run);
      this.spare = NO_CHUNK;
      this.put(run, state, this.runs);
      return run;
    }
    chunk = this.takeChunks(this.chunk, 1);
    if (chunk < 0) return chunk;
    this.space.touch(this.base + chunk * PAGE, this.bias * PAGE);
    this.mark(chunk, this.bias, HEADER);
    this.mark(chunk + this.bias, this.most, ACTIVE);
    this.put(chunk + this.bias, RETAINED, this.runs);
    return chunk + this.bias;
  }

  /** Whole chunks for so many pages: unused ones with their pages, unused ones without, new ones (chunk_alloc_*). */
  private takeChunks(pages: number, alignment: number): number {
    const needed = this.inChunks(pages);
    const most = needed + Math.max(0, alignment - this.chunk);
    for (const cache of [this.cached, this.retained]) {
      const found = cache.bestFit(most);
      if (found < 0) continue;
      const state = this.state[found];
      this.take(found, cache);
      return this.cutChunks(found, needed, alignment, state);
    }
    const at = this.end;
    if (at + most > MAX_PAGES || !this.space.commit(this.base + at * PAGE, most * PAGE, Use.heap)) return -1;
    this.reach(at + most);
    this.end = at + most;
    this.mark(at, most, ACTIVE);
    return this.cutChunks(at, needed, alignment, RETAINED);
  }

  /** The aligned chunks with the highest number, which stands for the lowest address; the others stay unused. */
  private cutChunks(chunks: number, pages: number, alignment: number, state: number): number {
    const end = chunks + this.pages[chunks];
    const at = end - pages - ((this.base / PAGE + end - pages) % Math.max(1, alignment));
    if (at + pages < end) {
      this.split(chunks, at + pages - chunks);
      this.put(at + pages, state, state === DIRTY ? this.cached : this.retained);
    }
    if (chunks < at) {
      this.split(chunks, at - chunks);
      this.put(chunks, state, state === DIRTY ? this.cached : this.retained);
    }
    return at;
  }

  /** Puts whole chunks that are in no list among the unused, joined with their neighbours there (chunk_record). */
  private putChunks(chunks: number, state: number): void {
    const cache = state === DIRTY ? this.cached : this.retained;
    let at = chunks;
    const next = at + this.pages[at];
    if (next < this.end && this.state[next] === state) {
      this.take(next, cache);
      this.join(at, next);
    }
    if (at > 0 && this.state[at - 1] === state && this.isChunks(this.first[at - 1])) {
      const previous = this.first[at - 1];
      this.take(previous, cache);
      this.join(previous, at);
      at = previous;
    }
    this.put(at, state, cache);
  }

  /** Whether what starts at a page is whole chunks: the first page of all others is behind a header. */
  private isChunks(at: number): boolean {
    return at % this.chunk === 0;
  }

  private inChunks(pages: number): number {
    return Math.ceil(pages / this.chunk) * this.chunk;
  }

  private release(at: number): void {
    this.space.discard(this.base + at * PAGE, this.pages[at] * PAGE);
  }

  private put(at: number, state: number, cache: ExtentCache): void {
    this.mark(at, this.pages[at], state);
    cache.insert(at);
    if (state === DIRTY) this.remember(at);
  }

  private take(at: number, cache: ExtentCache): void {
    cache.remove(at);
    if (this.state[at] === DIRTY) this.forget(at);
    this.mark(at, this.pages[at], ACTIVE);
  }

  private remember(at: number): void {
    this.lru.pushBack(0, at);
    this.dirty += this.pages[at];
  }

  private forget(at: number): void {
    this.lru.remove(at);
    this.dirty -= this.pages[at];
  }

  private split(at: number, pages: number): void {
    const rest = this.pages[at] - pages;
    this.costs[Cost.splits] += 1;
    this.mark(at, pages, ACTIVE);
    this.mark(at + pages, rest, ACTIVE);
  }

  private join(at: number, next: number): void {
    this.costs[Cost.coalesces] += 1;
    this.merge(at, next);
  }

  private merge(at: number, next: number): void {
    this.mark(at, this.pages[at] + this.pages[next], ACTIVE);
  }

  private mark(at: number, pages: number, state: number): void {
    this.pages[at] = pages;
    this.serial[at] = -Math.floor(at / this.chunk);
    this.state[at] = state;
    this.state[at + pages - 1] = state;
    this.first[at + pages - 1] = at;
  }

  /** Makes room for pages below `end`. */
  private reach(end: number): void {
    if (end <= this.pages.length) return;
    const length = Math.max(end, 2 * this.pages.length);
    this.pages = grown(this.pages, length);
    this.serial = grown(this.serial, length);
    this.place = grown(this.place, length);
    this.first = grown(this.first, length);
    this.state = grown(this.state, length);
  }
}

/** map_bias of arena_boot: the header has no map entries for its own pages, which takes three rounds to settle. */
export function headerPages(chunk: number): number {
  let bias = 0;
  for (let round = 0; round < 3; round++) bias = Math.ceil((HEADER_FIXED + HEADER_PER_PAGE * (chunk - bias)) / PAGE);
  return bias;
}
