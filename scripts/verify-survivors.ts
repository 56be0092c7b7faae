/** Few objects hold much memory where nothing moves. */
import { allocatorArm, workloadArm } from "../harness/arm.js";
import { placements } from "../harness/place.js";
import { unitsKept } from "../harness/theory.js";
import { InputError } from "../memory/errors.js";
import { OP_MASK, Op, type Trace } from "../workloads/trace.js";
import { type Check, type Target, within } from "./verification.js";

const POOL = 4096;
const HEADER = 48;
/** CPython 3.9: pools of 4 KiB, 64 to an arena of 256 KiB at an aligned base. */
const ALLOCATOR = "pymalloc:variant=cpython-3.9";
const SOURCE = "a unit of k blocks keeps one with chance 1 - (1-f)^k; tolerance 3 binomial standard deviations";

/** Slots that are live at the end. */
function survivors(trace: Trace): Set<number> {
  const live = new Set<number>();
  for (let i = 0; i < trace.length; i++) {
    const op = trace.op[i] & OP_MASK;
    if (op === Op.allocate) live.add(trace.slot[i]);
    else if (op === Op.free) live.delete(trace.slot[i]);
  }
  return live;
}

/** Share of the full units, as `unitOf` tells them apart, that hold a survivor. */
function keptShare(
  trace: Trace,
  addresses: readonly number[],
  unitOf: (at: number) => number,
  blocks: number,
): [number, number] {
  const live = survivors(trace);
  const count = new Map<number, number>();
  const kept = new Set<number>();
  let next = 0;
  for (let i = 0; i < trace.length; i++) {
    if ((trace.op[i] & OP_MASK) !== Op.allocate) continue;
    const unit = unitOf(addresses[next++]);
    count.set(unit, (count.get(unit) ?? 0) + 1);
    if (live.has(trace.slot[i])) kept.add(unit);
  }
  const full = [...count].filter(([, n]) => n === blocks).map(([unit]) => unit);
  return [full.filter((unit) => kept.has(unit)).length, full.length];
}

async function checks(): Promise<Check[]> {
  const found: Check[] = [];
  for (const [size, f] of [
    [64, 0.001],
    [64, 0.01],
    [32, 0.005],
    [256, 0.045],
    [512, 0.094],
  ] as const) {
    const arm = workloadArm(`random-survivors:size=${size},survivors=${f},blocks=${Math.floor(64e6 / size / 4)}`);
    const trace = await arm.spec.generate(1, arm.options);
    const addresses = [...placements(allocatorArm(ALLOCATOR), trace)].map(({ address }) => address);
    const perPool = Math.floor((POOL - HEADER) / size);
    const [kept, units] = keptShare(trace, addresses, (at) => Math.floor(at / POOL), perPool);
    if (units < 100) throw new InputError(`survivors: only ${units} full pools of ${size} bytes`);
    const share = unitsKept(f, perPool);
    const deviation = Math.sqrt((share * (1 - share)) / units);
    found.push(within(`pools kept, ${size} B, f=${f}`, share, 3 * deviation, kept / units, SOURCE));
    const live = survivors(trace).size / addresses.length;
    const spread = Math.sqrt((f * (1 - f)) / addresses.length);
    found.push(within(`compaction keeps, ${size} B, f=${f}`, f, 3 * spread, live, SOURCE));
  }
  return found;
}

export const survivorsTarget: Target = {
  name: "survivors",
  title: "Random survivors pin pools; compaction needs only their share",
  quick: true,
  run: checks,
};
