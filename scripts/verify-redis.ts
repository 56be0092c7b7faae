/** The Redis experiment of the Mesh and Alaska papers, at 1/16 of its size, against what was published and measured. */
import redis, { megabytesAt } from "../experiments/redis-defragmentation.js";
import { cellResultOf } from "../harness/cell.js";
import { traceFor } from "../harness/drive.js";
import type { Tables } from "../harness/experiment.js";
import { plan } from "../harness/plan.js";
import { type Evidence, redisFigures } from "../harness/published-redis.js";
import { runSession } from "../harness/session.js";
import { type RunCell, tabulate } from "../harness/tabulate.js";
import { cellValue } from "../harness/views.js";
import type { Trace } from "../workloads/trace.js";
import { type Check, type Target, within } from "./verification.js";

const SCALE = 16;
/** What a process has besides its heap; the papers' numbers are of the process. */
const PROCESS_MB = 6;
const ALASKA = "alaska72: Redis 7.2.4";
const MESH_JEMALLOC = "mesh402je: Redis 4.0.2 with jemalloc";

/** Relative, besides the process. */
const tolerance: Readonly<Record<Evidence, number>> = {
  "replay on the real allocator": 0.01,
  "published RSS": 0.025,
  // At full size 1 %: docs/redis.md.
  "measured RSS": 0.06,
  "independent model": 0.01,
};

async function run(): Promise<Tables> {
  const runs: RunCell[] = [];
  let last: { readonly key: string; readonly trace: Trace } | undefined;
  for (const cell of plan(redis, "quick")) {
    if (cell.skipped !== undefined) continue;
    const key = cell.workload.selector;
    if (last?.key !== key) last = { key, trace: await traceFor(cell.workload, cell.seed, cell.allocator) };
    const { spec, options } = cell.allocator;
    const session = await runSession(spec, options, last.trace, redis.settings?.(cell));
    runs.push({ cell, digest: last.trace.digest, result: cellResultOf(session) });
  }
  return tabulate(runs);
}

async function checks(): Promise<Check[]> {
  const tables = await run();
  const figures = redisFigures.map((figure) => {
    const { variant, allocator, moment, low, high, evidence, source } = figure;
    const got = megabytesAt(tables, figure);
    const isProcess = evidence.endsWith("RSS");
    // The middle of what the figure allows, the process apart; what it allows besides is its own tolerance.
    const least = low - (isProcess ? PROCESS_MB : 0);
    const wanted = (least + high) / 2;
    const slack = (high - least) / 2 + wanted * tolerance[evidence];
    const name = `${variant} ${allocator}, ${moment.length === 1 ? `after ${moment}` : moment}, MB`;
    const range = low === high ? `${low}` : `${low} to ${high}`;
    const less = isProcess ? `; the process has about ${PROCESS_MB} MB besides its heap` : "";
    return within(name, wanted, slack, got, `${source}: ${range}${less}`);
  });
  const value = (allocator: string, metric: string): number => cellValue(tables, ALASKA, allocator, metric);
  const moved = (allocator: string): number => (value(allocator, "cost.bytesMoved") * SCALE) / 1e6;
  const model = "a second implementation of the same rules, full size, seed 1";
  return [
    ...figures,
    within(
      "alaska72 Anchorage, passes",
      8,
      1,
      value("Anchorage", "pauses"),
      "downward steps in the artifact's golden run",
    ),
    within(
      "mesh402je active defrag 4.0, objects moved",
      (177_445 * 4) / 3,
      20_000,
      cellValue(tables, MESH_JEMALLOC, "active defrag 4.0", "cost.moves") * SCALE,
      "177,445 hits counted in a run of Redis 4.0.2 with its jemalloc 4.0.3, and hash entries, one block in four, which it moves without counting",
    ),
    within("alaska72 Anchorage, MB moved", 122.8, 1.3, moved("Anchorage"), model),
    within("alaska72 slide, MB moved", 114.4, 1.2, moved("slide"), model),
    within("alaska72 two-finger, MB moved", 65.9, 0.7, moved("two-finger"), model),
  ];
}

export const redisTarget: Target = {
  name: "redis-defragmentation",
  title: "Redis after eviction: ten allocators against published, measured and modelled footprints",
  quick: false,
  run: checks,
};
