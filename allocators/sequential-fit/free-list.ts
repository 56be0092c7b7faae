/** Whether a free block serves an aligned request, and not only by its length. */
export interface Suits {
  suits(at: number): boolean;
}

/**
 * The textbook's linked list of free blocks, with the answers of a walk along it found without one. A block is known by
 * its place: its position in the heap where the list is in address order, else its slot in a list of slots that the
 * order fills from one end.
 */
export interface FreeList {
  /** Blocks that the walk of the last search would have looked at, up to and including the one it chose. */
  readonly hops: number;
  /** The block that the fit chooses for `need` granules, or -1. Sets `hops`. */
  find(need: number): number;
  /** The same among blocks that suit; those that are long enough but do not suit are looked at one by one. */
  findSuitable(need: number, suits: Suits): number;
  /**
   * A request for `need` granules is served at `at`, from the block there that is still in the list, or with `listed`
   * false from the preserved end of the heap: next fit goes on from there.
   */
  rove(at: number, need: number, listed: boolean): void;
  /** A freed block, or a remainder that is a new block. */
  insert(at: number, size: number): void;
  /** Takes out the block at `at`, which has `size` granules. */
  remove(at: number, size: number): void;
  /** The block at `at` has grown from `before` granules at its upper end; it counts as freed anew. */
  extend(at: number, before: number, size: number): void;
  /** The block at `at` has shrunk from `before` to `size` granules at its upper end and keeps its place. */
  shorten(at: number, before: number, size: number): void;
  /**
   * The lower end of the block at `at` of `size` granules was cut off: the `rest` starts at `to` and counts as freed anew.
   * With a rest of 0 it is gone.
   */
  cut(at: number, size: number, to: number, rest: number): void;
  /**
   * The `size` granules at `at` were freed and are one block with the `before` granules in front of them and the `after`
   * behind, which were blocks of the list; 0 where there was none.
   */
  join(at: number, size: number, before: number, after: number): void;
  /** Makes room for positions below `positions`, the length of the tags. */
  grow(positions: number): void;
}

/** A list whose blocks are known by place, and can be given other places in the same order. */
export interface PlaceList extends Omit<FreeList, "extend" | "cut" | "join"> {
  /** The place from which next fit goes on. */
  rover: number;
  /** The same blocks, in the same order, now stand where the sizes are not 0. */
  renumber(): void;
}
