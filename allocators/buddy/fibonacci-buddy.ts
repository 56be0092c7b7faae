import { defaultsOf } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { type BuddyOptions, buddyOptions, resolveBuddyOptions, treeVariants } from "./options.js";
import { fibonacci } from "./split-tree.js";
import { TreeBuddy } from "./tree-buddy.js";

/**
 * The Fibonacci buddy system: blocks of 1, 2, 3, 5, 8, ... units. A chunk is the largest such size that fits the option
 * `chunk`, 741,888 bytes of 1 MiB, and what that lacks of whole pages is its tail. Larger requests are mapped by
 * themselves, in the next larger size of the sequence.
 */
export const fibonacciBuddy: AllocatorSpec<BuddyOptions> = {
  name: "fibonacci-buddy",
  title: "Fibonacci buddy system",
  source:
    "Hirschberg 1973, A class of dynamic memory allocation algorithms, CACM 16(10); Hinds 1975; Cranston & Thomas 1975",
  indirect: false,
  alignment: 16,
  options: buddyOptions,
  defaults: defaultsOf(buddyOptions),
  variants: treeVariants,
  create: (space, given) => new TreeBuddy(space, resolveBuddyOptions("fibonacci-buddy", given), fibonacci),
};
