/**
 * One timed case in a process of its own, so that no other allocator's type feedback is in the way (unless asked for):
 * replays a churn on fresh heaps under tinybench and prints the latencies as JSON.
 *
 * Arguments: allocator selector, "workload" or "trace", a selector or a file of it, "alone" or "after-all", "plain",
 * "session", or "textbook" for the linear list of a sequential fit in place of the simulator.
 */
import { Bench } from "tinybench";
import { allocators } from "../allocators/registry.js";
import { allocatorArm, workloadArm } from "../harness/arm.js";
import { fittedOptions } from "../harness/fit.js";
import { replayLoopFor } from "../harness/replay.js";
import { reachSafepoint, SEGMENT } from "../harness/safepoint.js";
import { runSession } from "../harness/session.js";
import { createAddressSpace } from "../memory/address-space.js";
import { readTrace } from "../workloads/read-trace.js";
import { Op, type Trace } from "../workloads/trace.js";
import { TextbookList } from "./textbook-list.js";

const [selector, of, source, company, kind] = process.argv.slice(2);

/** The bare replay, with its safepoints and compactions and without any metric: what the simulator itself costs. */
async function plainReplay(name: string, trace: Trace): Promise<() => void> {
  const arm = allocatorArm(name);
  const options = fittedOptions(arm.spec, arm.options, trace);
  const replaySegment = await replayLoopFor(arm.spec.create(createAddressSpace(), options));
  return () => {
    const space = createAddressSpace();
    const allocator = arm.spec.create(space, options);
    const refs = new Float64Array(trace.slots);
    for (let at = 0; at < trace.length; ) {
      const reached = replaySegment(allocator, trace, refs, space.log, at, Math.min(at + SEGMENT, trace.length));
      if (reached === at) throw new Error(`${name} has no memory at event ${at}`);
      at = reached;
      if (at % SEGMENT === 0) reachSafepoint(allocator, at);
      space.log.clear();
    }
  };
}

/** The textbook's list, in a heap large enough for one of worst fit: no page, footprint or cost is kept up. */
function textbookReplay(name: string, trace: Trace): () => void {
  const { op, slot, size } = trace;
  const granules = 1 << 20;
  return () => {
    const list = new TextbookList(name, granules * Math.ceil(trace.slots / 25_000));
    const places = new Int32Array(trace.slots);
    for (let i = 0; i < trace.length; i++) {
      if (op[i] === Op.free) list.free(places[slot[i]]);
      else places[slot[i]] = list.allocate(size[i]);
    }
  };
}

async function traceOf(): Promise<Trace> {
  if (of === "trace") return (await readTrace(source)).trace;
  const workload = workloadArm(source);
  return workload.spec.generate(1, workload.options);
}

async function main(): Promise<void> {
  const trace = await traceOf();
  if (company === "after-all") {
    for (const name of Object.keys(allocators)) (await plainReplay(name, trace))();
  }
  const arm = allocatorArm(selector);
  const bench = new Bench({
    time: 0,
    iterations: kind === "textbook" ? 1 : 5,
    warmupTime: 0,
    warmupIterations: kind === "textbook" ? 0 : 2,
    timestampProvider: "hrtimeNow",
    throws: true,
  });
  if (kind === "session") bench.add(selector, async () => void (await runSession(arm.spec, arm.options, trace)));
  else if (kind === "textbook") bench.add(selector, textbookReplay(selector, trace));
  else bench.add(selector, await plainReplay(selector, trace));
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== "completed") throw new Error(`${selector}: ${result?.state ?? "not run"}`);
  const nsPerEvent = (1e6 * result.latency.p50) / trace.length;
  process.stdout.write(`${JSON.stringify({ nsPerEvent, events: trace.length })}\n`);
}

await main();
