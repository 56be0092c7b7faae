import type { Address, AddressSpace } from "../../memory/address-space.js";
import type { Costs } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { defaultsOf } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { type BuddyOptions, buddyOptions, resolveBuddyOptions, treeVariants } from "./options.js";
import { halves, tripleHalves, weighted } from "./split-tree.js";
import { TreeBuddy } from "./tree-buddy.js";

/** Units that a chunk must have, so that 3 * 2^k fits with a k above 0. */
const FEWEST_UNITS = 8;

/**
 * Two binary buddy systems side by side, of blocks of 2^k and of 3 * 2^k units; neither uses memory of the other's
 * chunks, which have `chunk` and 3/4 of `chunk` bytes. A request goes to the one whose block for it is smaller, and only
 * where that has no memory to the other. A reallocation stays in its system where the block can stay in place.
 */
class DoubleBuddy implements Allocator {
  private readonly costs: Costs;
  private readonly powers: TreeBuddy;
  private readonly triples: TreeBuddy;
  /** Where the addresses of `triples` start: behind all of `powers`. */
  private readonly border: Address;

  constructor(space: AddressSpace, given: BuddyOptions) {
    this.costs = space.costs;
    this.powers = new TreeBuddy(space, given, halves, weighted);
    this.triples = new TreeBuddy(space, given, tripleHalves, weighted);
    this.border = this.triples.base;
  }

  allocate(size: number, alignment?: number): Ref {
    const { powers, triples } = this;
    const better = triples.sizeFor(size) < powers.sizeFor(size) ? triples : powers;
    const ref = better.allocate(size, alignment);
    return ref === none ? (better === powers ? triples : powers).allocate(size, alignment) : ref;
  }

  free(ref: Ref): void {
    this.systemOf(ref).free(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    const system = this.systemOf(ref);
    if (system.resize(ref, size)) return ref;
    const moved = relocate(this, this.costs, ref, system.capacityOf(ref), size);
    return moved === none && system.shortenRun(ref, size) ? ref : moved;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return this.systemOf(ref).capacityOf(ref);
  }

  walk(map: HeapMap): void {
    this.powers.walk(map);
    this.triples.walk(map);
  }

  private systemOf(ref: Ref): TreeBuddy {
    return ref < this.border ? this.powers : this.triples;
  }
}

function resolve(given?: Partial<BuddyOptions>): BuddyOptions {
  const resolved = resolveBuddyOptions("double-buddy", given);
  const least = FEWEST_UNITS << (resolved.header === "in" ? Math.max(resolved.minOrder, 5) : resolved.minOrder);
  if (resolved.chunk >= least) return resolved;
  throw new InputError(
    `double-buddy: option chunk: ${resolved.chunk} is too small for blocks of 3 * 2^${resolved.minOrder}: give at least ${least}`,
  );
}

/** The double buddy system (Wise 1978), one of the allocators of Johnstone & Wilson 1998. */
export const doubleBuddy: AllocatorSpec<BuddyOptions> = {
  name: "double-buddy",
  title: "Double buddy system, 2^k beside 3 * 2^k",
  source: "Wise 1978, The double buddy system, Indiana University TR 79; Johnstone & Wilson 1998, section 3",
  indirect: false,
  alignment: 16,
  options: buddyOptions,
  defaults: defaultsOf(buddyOptions),
  variants: treeVariants,
  create: (space, given) => new DoubleBuddy(space, resolve(given)),
};
