/** What was published about, or measured on, the Redis workload of the Mesh and Alaska papers, at its full size. */

/** Where a figure comes from. */
export type Evidence = "replay on the real allocator" | "published RSS" | "measured RSS" | "independent model";

export interface RedisFigure {
  readonly variant: "alaska72" | "mesh402" | "mesh402je";
  /** Name of the arm in the experiment. */
  readonly allocator: string;
  /** End of a phase, the largest value of the run, or its end after the idle time. */
  readonly moment: "A" | "B" | "C" | "D" | "peak" | "end";
  /** MB of 10^6 bytes: a range where several machines or runs are known. */
  readonly low: number;
  readonly high: number;
  readonly evidence: Evidence;
  readonly source: string;
}

const REPLAY = "anonymous memory of the same requests replayed on Linux, all pages written";
const ARTIFACT = "Alaska, ASPLOS 2024 artifact: VmRSS of the whole process, four machines";
const MODEL = "a second implementation of the same rules, full size, seed 1";

function phases(
  variant: RedisFigure["variant"],
  allocator: string,
  megabytes: readonly [number, number, number, number],
): RedisFigure[] {
  return (["A", "B", "C", "D"] as const).map((moment, i) => ({
    variant,
    allocator,
    moment,
    low: megabytes[i],
    high: megabytes[i],
    evidence: "replay on the real allocator",
    source: REPLAY,
  }));
}

const published = (allocator: string, moment: RedisFigure["moment"], low: number, high: number): RedisFigure => ({
  variant: "alaska72",
  allocator,
  moment,
  low,
  high,
  evidence: "published RSS",
  source: ARTIFACT,
});

const measured = (allocator: string, moment: RedisFigure["moment"], mb: number): RedisFigure => ({
  variant: "mesh402je",
  allocator,
  moment,
  low: mb,
  high: mb,
  evidence: "measured RSS",
  source: "resident memory of Redis 4.0.2 of Mesh's test suite with its own jemalloc 4.0.3",
});

const modelled = (
  variant: RedisFigure["variant"],
  allocator: string,
  moment: "peak" | "end",
  mb: number,
): RedisFigure => ({
  variant,
  allocator,
  moment,
  low: mb,
  high: mb,
  evidence: "independent model",
  source: MODEL,
});

/** All figures: glibc 2.36, jemalloc 5.3.0, mimalloc 2.0.9; Mesh and Anchorage as of the artifact. */
export const redisFigures: readonly RedisFigure[] = [
  ...phases("alaska72", "glibc", [254.8, 254.8, 254.8, 254.8]),
  ...phases("alaska72", "jemalloc", [240.0, 240.0, 240.0, 240.0]),
  ...phases("alaska72", "mimalloc", [234.4, 234.4, 234.4, 234.4]),
  published("glibc", "end", 256.1, 261.3),
  published("Mesh", "peak", 238.8, 247.5),
  published("Mesh", "end", 196.7, 205.8),
  published("Anchorage", "peak", 306.7, 307.8),
  published("Anchorage", "end", 153.6, 161.5),
  published("active defrag 7.2", "end", 162.2, 188.3),
  modelled("alaska72", "Anchorage", "end", 145.2),
  modelled("alaska72", "slide", "peak", 299.6),
  modelled("alaska72", "slide", "end", 145.2),
  modelled("alaska72", "two-finger", "end", 145.2),
  ...phases("mesh402", "glibc", [277.2, 277.2, 277.2, 277.2]),
  ...phases("mesh402", "jemalloc", [263.1, 263.1, 310.3, 310.3]),
  ...phases("mesh402", "mimalloc", [257.0, 257.0, 303.1, 303.1]),
  measured("active defrag 4.0", "D", 291.8),
  measured("active defrag 4.0", "end", 172.0),
  modelled("mesh402", "Anchorage", "end", 148.0),
  modelled("mesh402", "slide", "peak", 322.0),
  modelled("mesh402", "slide", "end", 146.8),
  modelled("mesh402", "two-finger", "end", 147.4),
];
