import type { OptionTable } from "../../memory/options.js";

export interface MeshOptions {
  meshing: boolean;
  randomize: boolean;
  period: number;
  probes: number;
  maxPairs: number;
  occupancy: number;
  maxShared: number;
  maxMeshes: number;
  dirtyPages: number;
  emptySpans: number;
  attached: number;
  seed: number;
}

/** Defaults are the constants of Mesh's common.h; virtual time stands for its clock. */
export const meshOptions: OptionTable<MeshOptions> = {
  meshing: { kind: "boolean", default: true, help: "false: the same heap, in which no spans are meshed" },
  randomize: {
    kind: "boolean",
    default: true,
    help: "false: free objects of a span are handed out in a fixed order and reused last freed first",
  },
  period: {
    kind: "number",
    min: 0,
    max: 1e9,
    default: 100,
    help: "least milliseconds of virtual time between two passes",
  },
  probes: { kind: "integer", min: 1, max: 16384, default: 64, help: "partners tried for each span (t of SplitMesher)" },
  maxPairs: { kind: "integer", min: 1, max: 16384, default: 2500, help: "pairs meshed for each size class in a pass" },
  occupancy: { kind: "number", min: 0, max: 1, default: 0.8, help: "only spans less full than this are meshed" },
  maxShared: { kind: "integer", min: 2, max: 256, default: 256, help: "most virtual spans on one physical span" },
  maxMeshes: {
    kind: "integer",
    min: 0,
    max: 1e9,
    default: 21624,
    help: "no pass begins above this many meshed pages (33 % of Linux' limit of 65530 mappings)",
  },
  dirtyPages: {
    kind: "integer",
    min: 0,
    max: 1e9,
    default: 16384,
    help: "pages of freed spans kept for reuse before all are given back",
  },
  emptySpans: { kind: "integer", min: 0, max: 1e6, default: 128, help: "empty spans kept for each size class" },
  attached: {
    kind: "integer",
    min: 1,
    max: 48,
    default: 1,
    help: "most spans that a size class allocates from at once, up to 16 KiB of free objects (later versions: 24, 48)",
  },
  seed: {
    kind: "integer",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 1,
    help: "of the allocator's own randomness",
  },
};
