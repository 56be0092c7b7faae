/**
 * The contract between an allocator and everything that uses one (docs/model.md).
 *
 * An allocator decides placement and nothing else. It keeps no statistics: the footprint is counted by the
 * `AddressSpace` it gets its pages from, the demand by the session that replays the workload, the distribution by
 * `walk`, and costs in the one record `space.costs`. All bookkeeping that is not in the blocks themselves is mapped
 * through the space under `Use.meta` or `Use.table`, at the size the modelled allocator would need.
 */
import type { Address, AddressSpace } from "../memory/address-space.js";
import type { HeapMap } from "../memory/heap-map.js";
import type { OptionTable } from "../memory/options.js";

declare const refBrand: unique symbol;

/**
 * What the program holds: an address or a handle. Only an allocator makes one; a direct allocator says by one cast that
 * its refs are its addresses.
 */
export type Ref = number & { readonly [refBrand]: true };

/** "No memory": what `allocate` and `reallocate` return when they cannot serve a request. Never a valid ref. */
export const none = 0 as Ref;

export interface Allocator {
  /**
   * A block of at least `size` bytes (0 is a real, distinct block), at a multiple of `alignment` (a power of two) or of
   * the spec's alignment, whichever is larger. The program is taken to write all of it: its pages become resident.
   * `none` when there is no memory; nothing has changed then.
   */
  allocate(size: number, alignment?: number): Ref;
  /** Gives a live block back. */
  free(ref: Ref): void;
  /**
   * A block of at least `size` bytes with the old contents up to the smaller size; the old ref is dead unless it is the
   * one returned. A ref that is a handle is always kept. `none` leaves the old block as it was.
   */
  reallocate(ref: Ref, size: number): Ref;
  /** Where the block is: true until the next safepoint for an indirect allocator, for life for a direct one. */
  addressOf(ref: Ref): Address;
  /** Bytes the program may use at `addressOf(ref)`: at least the size last asked for. */
  capacityOf(ref: Ref): number;
  /**
   * Adds every mapped byte to `map` exactly once, with its kind. A live block is one piece of kind `live` from
   * `addressOf(ref)` over `capacityOf(ref)` bytes with the ref as owner; its header is a piece of its own.
   */
  walk(map: HeapMap): void;
}

/** Where a compaction writes down what it moved, so that contents can follow. */
export interface MoveLog {
  /** The block `ref` now starts at `to`; `bytes` of contents were copied from `from`. Ranges may overlap. */
  move(ref: Ref, from: Address, to: Address, bytes: number): void;
}

/** A move log that forgets. */
export const unlogged: MoveLog = { move() {} };

/** An allocator that reorganizes its memory at safepoints: nothing happens behind the program's back but in `compact`. */
export interface Reorganizing extends Allocator {
  /**
   * Runs one pass that copies at most `budget` bytes of blocks, overshooting by less than one block, and gives pages
   * back. Runs only at safepoints. Returns the bytes copied, headers included.
   */
  compact(budget: number, log: MoveLog): number;
  /**
   * The allocator's own controller, asked at each safepoint: bytes it wants to copy now, 0 for none.
   * `now` is the virtual time in milliseconds, never decreasing.
   */
  compactionDue(now: number): number;
}

/** An allocator whose blocks can move, because the program holds handles. Nothing moves but in `compact`. */
export interface Compacting extends Reorganizing {
  /**
   * `compact` leaves the block where it is until as many `unpin` as `pin` have been given. The program's own
   * `reallocate` may move it all the same, as it may move any block whose address has escaped.
   */
  pin(ref: Ref): void;
  unpin(ref: Ref): void;
  /** The program dereferences the block `times` times, while who only looks at a heap asks for `addressOf`. */
  access(ref: Ref, times: number): void;
}

/** Whether an allocator reorganizes its memory at safepoints. */
export function isReorganizing(allocator: Allocator): allocator is Reorganizing {
  return "compact" in allocator;
}

/** Whether an allocator can change the addresses of blocks, so that pins mean something to it. */
export function isCompacting(allocator: Allocator): allocator is Compacting {
  return "pin" in allocator;
}

/** An allocator with work that waits for time to pass, such as giving back pages that nobody has reused for a while. */
export interface Timed extends Allocator {
  /**
   * Does what is due at `now`, the virtual time in milliseconds, which never decreases. Runs at each safepoint, and
   * neither moves blocks nor changes what they can hold.
   */
  tick(now: number): void;
}

/** Whether an allocator wants to know the time. */
export function isTimed(allocator: Allocator): allocator is Timed {
  return "tick" in allocator;
}

/** An allocator that groups blocks in arenas numbered in order of creation; `place` prints them. */
export interface ArenaPlacement {
  /** Ordinal of the arena of a block and the byte offset from the arena's base, or undefined for a block in none. */
  placementOf(ref: Ref): { arena: number; offset: number } | undefined;
}

export function hasArenas(allocator: Allocator): allocator is Allocator & ArenaPlacement {
  return "placementOf" in allocator;
}

/** A use of a handle that names no live object: at which event, and the entry and generation that the handle names. */
export interface StaleUse {
  readonly event: number;
  readonly entry: number;
  readonly generation: number;
}

/** An allocator that tells a handle whose object is gone: such uses are counted, change nothing, and the first is kept. */
export interface StaleAware {
  /** The first use of a stale handle, a second free included, if there was one. */
  readonly firstStale: StaleUse | undefined;
  /** Whether a handle is told from those of all later objects: false where generations start anew when they are used up. */
  readonly tellsAll: boolean;
}

export function isStaleAware(allocator: Allocator): allocator is Allocator & StaleAware {
  return "firstStale" in allocator;
}

/** What a program asks for, by size: ascending sizes in bytes, and the sum of the events that blocks of each lived. */
export interface SizeDemand {
  readonly size: Float64Array;
  readonly weight: Float64Array;
}

/** An allocator that places by where the program is: it is told of the phase marks of a trace. */
export interface PhaseAware {
  /**
   * From now on the program is in the phase `mark`, a small whole number that names the mark's label; it may come back to
   * one. Before the first call it is in none.
   */
  phase(mark: number): void;
}

export function isPhaseAware(allocator: Allocator): allocator is Allocator & PhaseAware {
  return "phase" in allocator;
}

/** A family of allocators: what the registry holds. */
export interface AllocatorSpec<Options = Record<string, never>> {
  /** Registry name, kebab-case. */
  readonly name: string;
  /** One line for tables and legends. */
  readonly title: string;
  /** Paper and section, or C function and version, that the implementation follows. */
  readonly source: string;
  /** Whether a ref is a handle rather than an address. */
  readonly indirect: boolean;
  /**
   * Set where refs are names that only the simulator sees: the program holds pointers, which are patched when a block
   * moves, so that a dereference goes through no table.
   */
  readonly patched?: boolean;
  /** Set for a bound that says how much memory is needed but not where: addresses are names, `walk` shows only totals. */
  readonly placeless?: boolean;
  /** Every block starts at a multiple of this, under every option set. */
  readonly alignment: number;
  readonly options: OptionTable<Options>;
  /** The default of every option. */
  readonly defaults: Options;
  /** Option sets, besides the defaults, that the conformance suite runs. */
  readonly variants: readonly Partial<Options>[];
  /**
   * Options that are made to measure where the given ones ask for it, else the given ones. Present where some option
   * depends on the program that is served; a replay asks once, with the demand of its trace.
   */
  fit?(options: Options, demand: () => SizeDemand): Options;
  /** A new heap in `space`. Throws an `InputError` that names allocator and option where options do not go together. */
  create(space: AddressSpace, options?: Partial<Options>): Allocator;
}

/** An allocator family with its option type forgotten: options come as checked plain data. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyAllocatorSpec = AllocatorSpec<any>;
