/** `fraglab trace clone`: a generator fitted to a trace, and how near what it draws comes to the original. */
import { type AllocatorArm, allocatorArm } from "../harness/arm.js";
import { measure } from "../harness/metrics/registry.js";
import { runSession } from "../harness/session.js";
import { cloneOf } from "../workloads/clone/clone.js";
import { fitClone } from "../workloads/clone/fit.js";
import { type Goodness, goodnessOf } from "../workloads/clone/goodness.js";
import { type ReadTraceOptions, readTrace } from "../workloads/read-trace.js";
import type { Trace } from "../workloads/trace.js";
import { reportLines } from "./source.js";
import { formatBytes, formatPercent, textTable } from "./text-table.js";
import { checkTraceTarget, writeTrace } from "./write-trace.js";

interface CloneOptions extends ReadTraceOptions {
  readonly phases: number;
  readonly seed: number;
  /** Comma-separated selectors. */
  readonly allocators: string;
  readonly json?: boolean;
}

/** Footprints of the two traces on one allocator. */
interface Compared {
  readonly allocator: string;
  readonly state: string;
  readonly peakFootprint: readonly [original: number, clone: number];
  /** Mean of footprint over live bytes, less 1, on the clock of bytes allocated. */
  readonly fragmentation: readonly [original: number, clone: number];
}

async function compare(arm: AllocatorArm, original: Trace, clone: Trace): Promise<Compared> {
  const results = [];
  for (const trace of [original, clone]) {
    process.stderr.write(
      `fraglab: ${arm.label}: ${trace === original ? "original" : "clone"}, ${trace.length} events\n`,
    );
    results.push(await runSession(arm.spec, arm.options, trace, { looks: 1 }));
  }
  const [a, b] = results.map((result) => ({ state: result.state, values: measure(result) }));
  return {
    allocator: arm.label,
    state: a.state === "completed" ? b.state : a.state,
    peakFootprint: [a.values["peakFootprint"], b.values["peakFootprint"]],
    fragmentation: [a.values["jw1Bytes"], b.values["jw1Bytes"]],
  };
}

function goodnessText(goodness: Goodness): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return textTable(
    ["how near", "value"],
    [
      ["sizes, by blocks: largest difference of the shares", percent(goodness.sizesByBlocks)],
      ["sizes, by bytes", percent(goodness.sizesByBytes)],
      ["lifetimes, by blocks", percent(goodness.lifetimesByBlocks)],
      ["lifetimes, by bytes", percent(goodness.lifetimesByBytes)],
      ["live bytes: mean difference over their mean", percent(goodness.course)],
      ["peak of live bytes, of the original's", percent(goodness.peak)],
      ["events, of the original's", percent(goodness.events)],
    ],
  );
}

function comparedText(rows: readonly Compared[]): string {
  return textTable(
    ["allocator", "peak, original", "peak, clone", "ratio", "over live, original", "over live, clone", "outcome"],
    rows.map(({ allocator, state, peakFootprint: [a, b], fragmentation: [f, g] }) => [
      allocator,
      formatBytes(a),
      formatBytes(b),
      (b / a).toFixed(3),
      formatPercent(f),
      formatPercent(g),
      state,
    ]),
  );
}

/** Fits, draws, compares, and writes the clone where `out` is given. */
export async function traceClone(file: string, out: string | undefined, options: CloneOptions): Promise<void> {
  if (out !== undefined) checkTraceTarget(out);
  const arms = options.allocators.split(/,(?![^:,]+=)/).map((selector) => allocatorArm(selector));
  const { trace, report } = await readTrace(file, options);
  for (const line of reportLines(report)) process.stderr.write(`${line}\n`);
  const model = fitClone(trace, options.phases);
  const clone = cloneOf(model, `${trace.name}-clone`, options.seed);
  if (out !== undefined) await writeTrace(out, clone);
  const goodness = goodnessOf(trace, clone);
  const compared: Compared[] = [];
  for (const arm of arms) compared.push(await compare(arm, trace, clone));
  const { phases, seed } = options;
  if (options.json) {
    const { name, digest, length: events } = trace;
    const answer = {
      original: { name, digest, events },
      clone: { digest: clone.digest, events: clone.length },
      ...{ phases, seed, parameters: model.parameters, goodness, allocators: compared },
    };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const head = `${trace.name}: ${trace.length} events cloned in ${phases} phases with ${model.parameters} numbers, seed ${seed}`;
  process.stdout.write(`${[head, "", goodnessText(goodness), "", comparedText(compared)].join("\n")}\n`);
}
