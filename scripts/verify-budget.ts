/** Managers that may move a share of what was allocated. */

import { isCompacting, none, type Ref } from "../allocators/allocator.js";
import { allocatorArm, demandArm, programArm } from "../harness/arm.js";
import { drive, traceFor } from "../harness/drive.js";
import { partialCompactionUpperBound } from "../harness/theory.js";
import { createAddressSpace } from "../memory/address-space.js";
import { Cost } from "../memory/costs.js";
import { OP_MASK, Op, type Trace } from "../workloads/trace.js";
import { atMost, type Check, exactly, type Target } from "./verification.js";

const GRANULE = 16;

/** What a manager did with a trace, in bytes of whole granules. */
interface Course {
  readonly extent: number;
  readonly mostLive: number;
  /** c * moved - allocated at its largest, over all moments after a pass: not above 0. */
  readonly overdrawn: number;
  readonly passes: number;
}

/** Replays a trace and watches the two invariants after each event. */
function watch(trace: Trace, c: number): Course {
  const space = createAddressSpace();
  const arm = allocatorArm(`c-partial:c=${c}`);
  const heap = arm.spec.create(space, arm.options);
  if (!isCompacting(heap)) throw new Error("c-partial moves blocks");
  const { costs, log } = space;
  const refs = new Float64Array(trace.slots);
  const sizes = new Float64Array(trace.slots);
  const bytesMoved = Cost.bytesMoved;
  let base = 0;
  let [extent, live, mostLive, allocated] = [0, 0, 0, 0];
  let overdrawn = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < trace.length; i++) {
    const slot = trace.slot[i];
    const op = trace.op[i] & OP_MASK;
    if (op === Op.free) {
      heap.free(refs[slot] as Ref);
      live -= sizes[slot];
    } else if (op === Op.allocate) {
      const size = Math.max(1, Math.ceil(trace.size[i] / GRANULE)) * GRANULE;
      let ref = heap.allocate(trace.size[i]);
      if (ref === none) {
        heap.compact(Number.POSITIVE_INFINITY, { move() {} });
        // The pass is paid by what was allocated with the request that it serves.
        overdrawn = Math.max(overdrawn, c * costs[bytesMoved] - allocated - size);
        ref = heap.allocate(trace.size[i]);
      }
      refs[slot] = ref;
      sizes[slot] = size;
      allocated += size;
      live += size;
      mostLive = Math.max(mostLive, live);
      const at = heap.addressOf(ref);
      if (base === 0) base = at;
      extent = Math.max(extent, at + size - base);
    }
    log.clear();
  }
  return { extent, mostLive, overdrawn, passes: costs[Cost.passes] };
}

const UPPER = "Bendersky & Petrank 2011, upper bound (c+1)M of bump allocation and sliding";
const BUDGET = "definition of a c-partial manager, Bendersky & Petrank 2011: c * moved - allocated, at its largest";

/** Programs of all sorts; robson reads addresses, and frees what was moved. */
const programs: Readonly<Record<string, string>> = {
  churn: "churn:live=2000,events=60000",
  sawtooth: "sawtooth:live=2000,events=60000",
  phases: "phases:live=65536,events=60000",
  doubling: "hasan:live=256K,smallest=16",
  robson: "robson:live=2048,largest=64,last=plain,moved=freed",
};

/** The bound and the budget, on every program. */
async function slideChecks(): Promise<Check[]> {
  const checks: Check[] = [];
  for (const c of [1, 2, 4, 10, 20]) {
    for (const [name, selector] of Object.entries(programs)) {
      const trace = await traceFor(demandArm(selector), 1, allocatorArm(`c-partial:c=${c}`));
      const { extent, mostLive, overdrawn, passes } = watch(trace, c);
      checks.push(
        atMost(`slide extent, c=${c}, ${name}`, partialCompactionUpperBound(mostLive, c), extent, UPPER),
        // Without a pass there is nothing to pay for.
        ...(passes > 0 ? [atMost(`slide budget, c=${c}, ${name}, ${passes} passes`, 0, overdrawn, BUDGET)] : []),
      );
    }
  }
  return checks;
}

/** Extent / M, rounded to thousandths, of Robson's program against first fit that empties windows. */
const curve: readonly (readonly [live: number, largest: number, points: Readonly<Record<string, number>>])[] = [
  [1024, 16, { Infinity: 2985, 1000: 2970, 200: 2917, 100: 2847, 50: 2702, 20: 2259, 10: 1892, 5: 1503, 2: 1001 }],
  [2048, 64, { Infinity: 3969, 1000: 3908, 200: 3673, 100: 3371, 50: 2895, 20: 2313, 10: 1879, 5: 1501, 2: 1008 }],
];
const CURVE = "an independent implementation of the greedy manager and of Robson's program that frees what was moved";

function curveChecks(): Check[] {
  return curve.flatMap(([live, largest, points]) =>
    Object.entries(points).map(([c, thousandths]) => {
      const program = programArm(`robson:live=${live},largest=${largest},last=plain,moved=freed`);
      const { extent } = drive(program, 1, allocatorArm(`c-partial:manager=evacuate,c=${c}`));
      const got = Math.round((1000 * extent) / (16 * live)) / 1000;
      return exactly(`extent/M, M=${live} n=${largest}, c=${c}`, thousandths / 1000, got, CURVE);
    }),
  );
}

export const moveBudget: Target = {
  name: "move-budget",
  title: "Robson's program against first fit that may move 1/c of what was allocated: extent over live",
  quick: false,
  run: curveChecks,
};

export const partialCompaction: Target = {
  name: "partial-compaction",
  title: "Bump and slide keeps within (c+1)M and within its budget, on every program at every step",
  quick: true,
  run: slideChecks,
};
