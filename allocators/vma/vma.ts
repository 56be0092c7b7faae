import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { CompactingHandles, type MovementOptions } from "../handle-table/compacting-handles.js";
import { heldOptions } from "../handle-table/held-options.js";
import { handleTableOptions } from "../handle-table/options.js";
import type { PinOptions } from "../handle-table/pin-model.js";
import { Pins } from "../handle-table/pins.js";
import { Defragmentation, type DefragmentationAlgorithm } from "./defragmentation.js";
import { VmaHeap, type VmaHeapOptions } from "./vma-heap.js";

const { trigger, metric, fUpper, fLower, poll, firstPoll, minSleep, overhead, alpha, passBytes } = handleTableOptions;
const { cPartial, creditCap, passTime } = handleTableOptions;

/** Options of `vma`. */
export interface VmaOptions extends VmaHeapOptions, MovementOptions, PinOptions {
  algorithm: DefragmentationAlgorithm;
  /** Most allocations that a pass moves (maxAllocationsPerPass). */
  passAllocations: number;
}

const vmaOptions: OptionTable<VmaOptions> = {
  algorithm: {
    kind: "choice",
    values: ["fast", "balanced", "full"],
    default: "balanced",
    help: "where to move: into earlier blocks only, also lower in a block where that pays, or wherever it is lower",
  },
  passBytes: { ...passBytes, help: "most bytes of a pass (maxBytesPerPass)" },
  passAllocations: {
    kind: "integer",
    min: 1,
    max: 0x7fffffff,
    default: 0x7fffffff,
    help: "most moves of a pass (maxAllocationsPerPass)",
  },
  blockBytes: {
    kind: "bytes",
    min: 1 << 19,
    max: 1 << 30,
    default: 1 << 20,
    help: "memory block, in multiples of 512 KiB (preferredLargeHeapBlockSize, where 256 MiB are usual)",
  },
  granule: {
    kind: "integer",
    min: 16,
    max: 256,
    default: 16,
    help: "sizes and offsets are multiples of it, a power of two (minAllocationAlignment)",
  },
  entryBytes: { kind: "integer", min: 16, max: 1024, default: 88, help: "bytes of an allocation's own record" },
  ...heldOptions,
  trigger: { ...trigger, kind: "choice", values: ["hysteresis", "periodic"], default: "hysteresis" },
  ...{ metric, fUpper, fLower, poll, firstPoll, minSleep, overhead, cPartial, creditCap, passTime },
  alpha: { ...alpha, kind: "number", min: 0, max: 1, default: 1 },
};

function check(o: VmaOptions): void {
  const refuse = (option: keyof VmaOptions, why: string): never => {
    throw new InputError(`vma: option ${option}: ${why}`);
  };
  if ((o.granule & (o.granule - 1)) !== 0) refuse("granule", `${o.granule} is no power of two`);
  if (o.fLower >= o.fUpper) refuse("fLower", `${o.fLower} is not below fUpper ${o.fUpper}`);
  if (o.cPartial > 0 && o.cPartial < 1) refuse("cPartial", `${o.cPartial} is below 1: a pass moves 1/c; 0 is no bound`);
}

/**
 * AMD's Vulkan Memory Allocator: TLSF without headers in blocks of device memory, and defragmentation in passes that the
 * program asks for. Handles are VmaAllocation objects; a program that moves one re-creates and re-binds its buffer, which
 * is not counted. When to begin is the program's choice; here a controller chooses, at safepoints, and passes follow until
 * one moves nothing or F is below `fLower`.
 *
 * Left out: buffer-image granularity and with it EXTENSIVE, which without one is `full`; mapped memory; several memory
 * types. Sizes are rounded up to `granule`, as drivers do when they say what a buffer needs. The record of an
 * allocation is taken to have 88 bytes. Between two passes blocks go on being bubbled into order.
 */
export const vma: AllocatorSpec<VmaOptions> = {
  name: "vma",
  title: "Vulkan Memory Allocator: TLSF in blocks, defragmented in passes",
  source:
    "AMD, VulkanMemoryAllocator 3: VmaBlockVector::AllocatePage, VmaBlockMetadata_TLSF, VmaDefragmentationContext_T (fast, balanced, full)",
  indirect: true,
  alignment: 16,
  options: vmaOptions,
  defaults: defaultsOf(vmaOptions),
  variants: [
    { algorithm: "fast", passBytes: 20_000, trigger: "periodic" },
    { algorithm: "full", passAllocations: 7, granule: 256, releaseTablePages: true },
    { algorithm: "full", blockBytes: 1 << 19, pins: "bernoulli", pinShare: 0.1, freeOrder: "lowest" },
  ],
  create(space, given) {
    const options = resolveOptions("vma", vmaOptions, given);
    check(options);
    const heap = new VmaHeap(space, options);
    const pins = new Pins(heap.entries, options);
    const { algorithm, passAllocations } = options;
    const compactor = new Defragmentation(space.costs, heap, pins, algorithm, passAllocations);
    return new CompactingHandles<VmaHeap>(space, heap, compactor, pins, options);
  },
};
