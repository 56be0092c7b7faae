/** `fraglab replay`: one cell, all metrics. */

import { isStaleAware, type StaleUse } from "../allocators/allocator.js";
import { type AllocatorArm, allocatorArm } from "../harness/arm.js";
import { cellResultOf } from "../harness/cell.js";
import { coefficientsOf } from "../harness/cost-time.js";
import { type Metric, metrics } from "../harness/metrics/registry.js";
import { runSession, type SessionSettings } from "../harness/session.js";
import { createAddressSpace } from "../memory/address-space.js";
import type { Coefficients } from "../memory/coefficients.js";
import { costNames } from "../memory/costs.js";
import { InputError, nearest, unknownName } from "../memory/errors.js";
import { endedBySignal } from "./interrupt.js";
import { type SourceOptions, sourceOf } from "./source.js";
import { formatMetric, textTable } from "./text-table.js";
import { checkTraceTarget, writeTrace } from "./write-trace.js";

interface ReplayOptions extends SourceOptions {
  readonly allocator: string;
  readonly limit?: number;
  readonly checked?: boolean;
  /** Virtual milliseconds after the last event. */
  readonly idle?: number;
  /** Set of coefficients, with replacements. */
  readonly costs: string;
  /** Dereferences of each object in its life. */
  readonly accesses: number;
  /** Comma-separated metric names. */
  readonly metrics?: string;
  /** File for the trace that was replayed. */
  readonly record?: string;
  readonly json?: boolean;
}

/** The metrics that were asked for, or all. Throws an `InputError` for an unknown one. */
function chosenMetrics(names: string | undefined): readonly Metric[] {
  if (names === undefined) return metrics;
  const known = metrics.map(({ name }) => name);
  const wanted = names.split(",").filter((name) => name !== "");
  const unknown = wanted.find((name) => !known.includes(name));
  // They are too many to name them all.
  if (unknown !== undefined && nearest(unknown, known) !== undefined) throw unknownName("metric", unknown, known);
  if (unknown !== undefined || wanted.length === 0)
    throw new InputError(`unknown metric "${unknown ?? names}": see \`fraglab list metrics\``);
  return wanted.flatMap((name) => metrics.filter((one) => one.name === name));
}

/** Throws an `InputError` unless there may be uses of freed blocks and the allocator tells their handles from all others. */
function checkKeepStale(
  { spec, options, selector }: AllocatorArm,
  { trace, with: modifiers, record }: ReplayOptions,
): void {
  if (trace === undefined)
    throw new InputError("--keep-stale is for trace files: a workload uses no block that it has freed");
  if (modifiers !== undefined) throw new InputError("--keep-stale: leave out --with: modifiers know live blocks only");
  if (record !== undefined) throw new InputError("--keep-stale: leave out --record: trace files hold live blocks only");
  const allocator = spec.indirect ? spec.create(createAddressSpace(), options) : undefined;
  const tells = allocator !== undefined && isStaleAware(allocator);
  if (tells && allocator.tellsAll) return;
  const fault = tells
    ? "its handles name later blocks when their generations are used up: set retireOnWrap=true"
    : "it cannot tell that a block is gone: expected one with handles, such as handle-table";
  throw new InputError(`--keep-stale: ${selector}: ${fault}`);
}

/** What to say of the first use of a handle whose object was gone. */
function staleLines(use: StaleUse | undefined): string[] {
  if (use === undefined) return [];
  const { event, entry, generation } = use;
  return [`first stale handle: event ${event}, entry ${entry}, generation ${generation}; it had no effect`];
}

/** Runs the cell and prints it. */
export async function replay(options: ReplayOptions): Promise<void> {
  const what = "the replay did not end, so nothing is printed";
  process.stdout.write(await endedBySignal(what, () => answerOf(options)));
}

/** Runs the cell; what there is to print. */
async function answerOf(options: ReplayOptions): Promise<string> {
  const arm = allocatorArm(options.allocator);
  const chosen = chosenMetrics(options.metrics);
  const ns: Coefficients = coefficientsOf(options.costs);
  if (options.record !== undefined) checkTraceTarget(options.record);
  if (options.keepStale) checkKeepStale(arm, options);
  const source = await sourceOf(options, arm, options.limit);
  if (options.record !== undefined) await writeTrace(options.record, source.trace);
  const settings: SessionSettings = {
    extent: true,
    costs: options.costs,
    accesses: options.accesses,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.checked ? { checked: true } : {}),
    ...(options.idle === undefined ? {} : { idle: options.idle }),
  };
  const session = await runSession(arm.spec, arm.options, source.trace, settings);
  const result = cellResultOf(session);
  if (options.json) {
    const answer = {
      allocator: arm.spec.name,
      options: arm.options,
      workload: source.name,
      seed: options.seed,
      events: result.events,
      outcome: result.state,
      ...(result.state === "exhausted" ? { exhaustedAt: result.events } : {}),
      metrics: Object.fromEntries(chosen.map(({ name }) => [name, result.metrics[name]])),
      costs: result.costs,
      ...(session.firstStale === undefined ? {} : { firstStale: session.firstStale }),
      time: {
        set: options.costs,
        accesses: options.accesses,
        nanoseconds: ns,
        milliseconds: result.metrics["costTime"],
      },
      trace: source.trace.digest,
    };
    return `${JSON.stringify(answer, null, 2)}\n`;
  }
  const outcome = result.state === "completed" ? "completed" : `ran out of memory at event ${result.events}`;
  const rows = chosen.map(({ name, unit, clock, title }) => {
    return [
      name,
      formatMetric(unit, result.metrics[name] ?? null),
      clock === "-" ? title : `${title} (clock: ${clock})`,
    ];
  });
  const counts = costNames.filter((name) => result.costs[name] > 0);
  return `${[
    `${arm.selector} on ${source.name}, seed ${options.seed}: ${outcome}, ${result.events} events`,
    ...staleLines(session.firstStale),
    "",
    textTable(["metric", "value", "meaning"], rows),
    "",
    textTable(
      ["cost", "count", "ns each", `ms (${options.costs})`],
      counts.map((name) => {
        const each = ns[name];
        const count = result.costs[name];
        const time = each === undefined ? ["-", "-"] : [String(each), (count * each * 1e-6).toFixed(3)];
        return [name, String(count), ...time];
      }),
    ),
  ].join("\n")}\n`;
}
