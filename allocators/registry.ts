import type { AnyAllocatorSpec } from "./allocator.js";
import { buddy } from "./buddy/buddy.js";
import { doubleBuddy } from "./buddy/double-buddy.js";
import { fibonacciBuddy } from "./buddy/fibonacci-buddy.js";
import { weightedBuddy } from "./buddy/weighted-buddy.js";
import { bump } from "./bump.js";
import { cPartial } from "./c-partial/c-partial.js";
import { defragHint } from "./defrag-hint/defrag-hint.js";
import { dlmalloc } from "./dlmalloc/dlmalloc.js";
import { glibc } from "./glibc/glibc.js";
import { compactFit } from "./handle-table/compact-fit.js";
import { handleTableOver } from "./handle-table/handle-table.js";
import { anchorage, classicMac, palm } from "./handle-table/presets.js";
import { zsmalloc } from "./handle-table/zsmalloc.js";
import { ideal } from "./ideal.js";
import { jemalloc } from "./jemalloc/jemalloc.js";
import { layeredOver } from "./layered.js";
import { mesh } from "./mesh/mesh.js";
import { mimalloc } from "./mimalloc/mimalloc.js";
import { offsetAllocator } from "./offset-allocator/offset-allocator.js";
import { oracle } from "./oracle.js";
import { pymallocOver } from "./pymalloc/pymalloc.js";
import { region } from "./region/region.js";
import { segregated } from "./segregated/segregated.js";
import { bestFit } from "./sequential-fit/best-fit.js";
import { firstFit } from "./sequential-fit/first-fit.js";
import { nextFit } from "./sequential-fit/next-fit.js";
import { worstFit } from "./sequential-fit/worst-fit.js";
import { slab } from "./slab/slab.js";
import { tlsf } from "./tlsf/tlsf.js";
import { vma } from "./vma/vma.js";

export type { AnyAllocatorSpec } from "./allocator.js";

/** Every allocator family: a new one is one file and one line here. */
export const allocators: Readonly<Record<string, AnyAllocatorSpec>> = {
  ideal,
  oracle,
  bump,
  "first-fit": firstFit,
  "best-fit": bestFit,
  "next-fit": nextFit,
  "worst-fit": worstFit,
  buddy,
  "fibonacci-buddy": fibonacciBuddy,
  "weighted-buddy": weightedBuddy,
  "double-buddy": doubleBuddy,
  segregated,
  slab,
  region,
  tlsf,
  "offset-allocator": offsetAllocator,
  dlmalloc,
  glibc,
  jemalloc,
  mimalloc,
  mesh,
  pymalloc: pymallocOver(() => allocators),
  "handle-table": handleTableOver(() => allocators),
  anchorage,
  "classic-mac": classicMac,
  palm,
  "compact-fit": compactFit,
  zsmalloc,
  vma,
  "defrag-hint": defragHint,
  "c-partial": cPartial,
  layered: layeredOver(() => allocators),
};
