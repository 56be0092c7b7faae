import { defaultsOf } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { type BuddyOptions, buddyOptions, resolveBuddyOptions, treeVariants } from "./options.js";
import { weighted } from "./split-tree.js";
import { TreeBuddy } from "./tree-buddy.js";

/**
 * The weighted buddy system: blocks of 2^k and 3 * 2^k units. 2^(k+2) splits into 3 * 2^k and 2^k, 3 * 2^k into 2^(k+1)
 * and 2^k. Larger requests than a chunk are mapped by themselves, in the next larger size.
 */
export const weightedBuddy: AllocatorSpec<BuddyOptions> = {
  name: "weighted-buddy",
  title: "Weighted buddy system, blocks of 2^k and 3 * 2^k",
  source: "Shen & Peterson 1974, A weighted buddy method for dynamic storage allocation, CACM 17(10)",
  indirect: false,
  alignment: 16,
  options: buddyOptions,
  defaults: defaultsOf(buddyOptions),
  variants: treeVariants,
  create: (space, given) => new TreeBuddy(space, resolveBuddyOptions("weighted-buddy", given), weighted),
};
