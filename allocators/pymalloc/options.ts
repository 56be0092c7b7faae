import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { outerOption } from "../outer.js";

/**
 * What CPython's small-object allocator has been on 64-bit builds. There are four placement behaviours: 3.11 places as 3.10
 * does and differs in the tree that finds the owner of an address.
 */
export type PymallocVariant = (typeof pymallocVariants)[number];
export const pymallocVariants = ["cpython-3.7", "cpython-3.8", "cpython-3.9", "cpython-3.10", "cpython-3.11"] as const;

/** Where arenas start relative to a multiple of the arena size: it decides how many pools an arena loses. */
export type PymallocBase = "aligned" | "m16" | "page" | "mixed";

/** Which arena the next pool is taken from, of those that have one. */
export type ArenaChoice = "fullest" | "address" | "emptiest" | "oldest";

export interface PymallocOptions {
  variant: PymallocVariant;
  base: PymallocBase;
  /** Bytes by which every arena starts further on than `base` says. */
  misalign: number;
  /** POOL_SIZE in bytes; 0 is the variant's own. */
  pool: number;
  /** ARENA_SIZE in bytes; 0 is the variant's own. */
  arena: number;
  /** ALIGNMENT in bytes; 0 is the variant's own. */
  align: number;
  /** SMALL_REQUEST_THRESHOLD in bytes. */
  threshold: number;
  spacing: "linear" | "geometric" | "fitted" | "listed";
  /** Bytes from class to class of linear spacing; 0 is the alignment. */
  step: number;
  perDoubling: number;
  /** Number of fitted classes; 0 is as many as linear spacing has. */
  classes: number;
  /** Listed sizes of classes, `16+32+64`. */
  sizes: string;
  choose: ArenaChoice;
  keep: "variant" | "yes" | "no";
  domain: "obj" | "mem" | "raw";
  outer: string;
}

const POOL_MAX = 1 << 20;
const ARENA_MAX = 1 << 30;

/**
 * Largest threshold in bytes. Up to here the last block of a pool lies in one page, so that its pages are those of its
 * link and a block need not be touched when it is handed out.
 */
const THRESHOLD_MAX = 2048;

export const pymallocOptions: OptionTable<PymallocOptions> = {
  variant: {
    kind: "choice",
    values: pymallocVariants,
    default: "cpython-3.10",
    help: "whose code: 3.7 up to 3.7.3, 3.8 also 3.7.4 and later, 3.9, 3.10, or 3.11 up to 3.14",
  },
  base: {
    kind: "choice",
    values: ["aligned", "m16", "page", "mixed"],
    default: "aligned",
    help: "where arenas start: aligned, 16 bytes in (malloc), 12 KiB in (often mmap), or a cycle of eight offsets",
  },
  misalign: { kind: "bytes", min: 0, max: ARENA_MAX, default: 0, help: "bytes that arenas start further on than base" },
  pool: { kind: "bytes", min: 0, max: POOL_MAX, default: 0, help: "pool size, a power of two; 0 is the variant's own" },
  arena: {
    kind: "bytes",
    min: 0,
    max: ARENA_MAX,
    default: 0,
    help: "arena size, a power of two; 0 is the variant's own",
  },
  align: { kind: "bytes", min: 0, max: 16, default: 0, help: "alignment of blocks, 8 or 16; 0 is the variant's own" },
  threshold: {
    kind: "bytes",
    min: 8,
    max: THRESHOLD_MAX,
    default: 512,
    help: "largest request served from pools; larger ones go to the outer heap",
  },
  spacing: {
    kind: "choice",
    values: ["linear", "geometric", "fitted", "listed"],
    default: "linear",
    help: "sizes of the classes: every step, so many to a doubling, fitted to the trace, or as listed",
  },
  step: { kind: "bytes", min: 0, max: THRESHOLD_MAX, default: 0, help: "bytes between linear classes; 0: alignment" },
  perDoubling: {
    kind: "integer",
    min: 1,
    max: 64,
    default: 4,
    help: "geometric classes from a power of two to the next",
  },
  classes: { kind: "integer", min: 0, max: 256, default: 0, help: "fitted classes; 0 is as many as linear ones" },
  sizes: {
    kind: "text",
    pattern: "(\\d+(\\+\\d+)*)?",
    form: "a list of sizes such as 16+32+64",
    default: "",
    help: "listed classes in bytes, the last one the threshold",
  },
  choose: {
    kind: "choice",
    values: ["fullest", "address", "emptiest", "oldest"],
    default: "fullest",
    help: "arena that the next pool is taken from: CPython's is the fullest",
  },
  keep: {
    kind: "choice",
    values: ["variant", "yes", "no"],
    default: "variant",
    help: "whether one wholly empty arena is kept: from 3.9 on it is",
  },
  domain: {
    kind: "choice",
    values: ["obj", "mem", "raw"],
    default: "obj",
    help: "which of CPython's domains the program asks: raw goes to the outer heap, mem as obj since 3.6",
  },
  outer: outerOption("first-fit", "heap of large requests, which stands for the C library"),
};

export const pymallocDefaults: PymallocOptions = defaultsOf(pymallocOptions);
