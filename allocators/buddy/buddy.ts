import { defaultsOf } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { BinaryBuddy } from "./binary-buddy.js";
import { type BuddyOptions, buddyOptions, resolveBuddyOptions } from "./options.js";
import { halves } from "./split-tree.js";
import { TreeBuddy } from "./tree-buddy.js";

/**
 * The binary buddy system; `Cost.listHops` stays 0, because no list is searched. With `merge=lazy` the engine of the
 * other buddy systems runs it, which places alike where merging is eager.
 */
export const buddy: AllocatorSpec<BuddyOptions> = {
  name: "buddy",
  title: "Binary buddy system",
  source:
    "Knowlton 1965, A fast storage allocator; Knuth, The Art of Computer Programming 1, section 2.5, algorithms R and S",
  indirect: false,
  alignment: 16,
  options: buddyOptions,
  defaults: defaultsOf(buddyOptions),
  variants: [
    { policy: "lifo" },
    { header: "in" },
    { policy: "lifo", header: "in", chunk: 65536, release: "always" },
    { minOrder: 6, chunk: 16384, release: "never" },
    { merge: "lazy" },
    { merge: "lazy", policy: "lifo", header: "in", chunk: 65536 },
  ],
  create: (space, given) => {
    const resolved = resolveBuddyOptions("buddy", given);
    return resolved.merge === "lazy" ? new TreeBuddy(space, resolved, halves) : new BinaryBuddy(space, resolved);
  },
};
