/** Traces for property tests. */
import fc from "fast-check";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";

/** 2^45: 200 of them still add up exactly. */
const LARGEST = 35_184_372_088_832;

const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.nat(600) },
  { weight: 2, arbitrary: fc.nat(0xffffffff) },
  { weight: 1, arbitrary: fc.nat(LARGEST) },
);
const labels = fc.constantFrom("warm-up", "steady state", "größer", "🙂 end", "1");
const step = fc.record({
  kind: fc.constantFrom("a", "a", "a", "a", "f", "f", "f", "r", "x", "p", "u", "s", "t"),
  pick: fc.nat(),
  size: sizes,
  alignment: fc.constantFrom(0, 0, 0, 16, 32, 4096, 524288),
  label: labels,
  thread: fc.constantFrom(0, 1, 7, 0xffffffff),
  site: fc.constantFrom("", "", "", "main;load", "main;größer 🙂", "@3"),
});

/** Any trace of at least one and at most `maxEvents` events, with every operation and, every other one, with sites. */
export function arbitraryTrace(maxEvents = 200): fc.Arbitrary<Trace> {
  const steps = fc.array(step, { minLength: 1, maxLength: maxEvents - 1 });
  return fc.tuple(steps, fc.boolean()).map(([steps, hasSites]) => {
    const builder = new TraceBuilder("any");
    const live = [builder.allocate(16)];
    for (const { kind, pick, size, alignment, label, thread, site: name } of steps) {
      const site = hasSites && name !== "" ? builder.site(name) : 0;
      const index = live.length === 0 ? -1 : pick % live.length;
      const slot = live[index];
      if (kind === "s") builder.phase(label);
      else if (kind === "t") builder.thread(thread);
      else if (kind === "a" || slot === undefined) live.push(builder.allocate(size, alignment, site));
      else if (kind === "f") {
        builder.free(slot);
        live.splice(index, 1);
      } else if (kind === "r") builder.reallocate(slot, size, site);
      else if (kind === "x") builder.access(slot, size);
      else if (kind === "p") builder.pin(slot);
      else if (builder.pinsOf(slot) > 0) builder.unpin(slot);
    }
    return builder.build();
  });
}

/** Everything of a trace but its name, as plain values. */
export function contentsOf(trace: Trace): object {
  return {
    length: trace.length,
    slots: trace.slots,
    digest: trace.digest,
    op: [...trace.op],
    slot: [...trace.slot],
    size: [...trace.size],
    wide: trace.size instanceof Float64Array,
    labels: trace.labels,
    at: [...trace.threads.at],
    id: [...trace.threads.id],
    sites: [...trace.sites.of],
    siteNames: trace.sites.names,
  };
}
