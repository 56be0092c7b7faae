import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import { exponential, zipf } from "../distributions.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { TraceCopy } from "../trace-copy.js";
import type { ModifierSpec } from "./modifier.js";

export interface AccessedOptions {
  visits: number;
  dereferences: number;
  ordered: number;
  zipf: number;
}

const options: OptionTable<AccessedOptions> = {
  visits: { kind: "number", min: 0, max: 1000, default: 1, help: "visits to a block for each event of the workload" },
  dereferences: {
    kind: "number",
    min: 1,
    max: 1e6,
    default: 4,
    help: "mean number of dereferences in a visit, geometric",
  },
  ordered: {
    kind: "number",
    min: 0,
    max: 1,
    default: 0.5,
    help: "share of the visits that go to the next younger block, which is address order on a fresh heap",
  },
  zipf: { kind: "number", min: 0, max: 4, default: 1, help: "exponent of Zipf's law over the other visits" },
};

/** Most ranks of Zipf's law, as many as a table may have. */
const MAX_RANKS = 1 << 20;
/** Ranks that are drawn until one's slot holds a block. */
const TRIES = 64;

/** Live blocks by age, and who is visited next. */
class Visits {
  private readonly random: Random;
  private readonly given: AccessedOptions;
  /** Neighbours in age; the last entry is the anchor of the ring. A slot that is not live has -1 for its elder. */
  private readonly elder: Int32Array;
  private readonly younger: Int32Array;
  private readonly anchor: number;
  /** Slots in the order of popularity, which stays with the slot: what the program holds its block by. */
  private readonly popular: Uint32Array;
  private readonly ranks: { draw(random: Random): number };
  private cursor: number;

  constructor(slots: number, random: Random, given: AccessedOptions) {
    this.random = random;
    this.given = given;
    this.anchor = slots;
    this.elder = new Int32Array(slots + 1).fill(-1);
    this.younger = new Int32Array(slots + 1);
    this.elder[slots] = slots;
    this.younger[slots] = slots;
    this.cursor = slots;
    this.popular = Uint32Array.from({ length: slots }, (_, i) => i);
    for (let i = slots - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const kept = this.popular[i];
      this.popular[i] = this.popular[j];
      this.popular[j] = kept;
    }
    this.ranks = zipf(Math.max(1, Math.min(slots, MAX_RANKS)), given.zipf);
  }

  born(slot: number): void {
    const { elder, younger, anchor } = this;
    const youngest = elder[anchor];
    younger[youngest] = slot;
    elder[slot] = youngest;
    younger[slot] = anchor;
    elder[anchor] = slot;
  }

  died(slot: number): void {
    const { elder, younger } = this;
    if (this.cursor === slot) this.cursor = elder[slot];
    younger[elder[slot]] = younger[slot];
    elder[younger[slot]] = elder[slot];
    elder[slot] = -1;
  }

  /** The block to visit, or -1 where none is live. */
  next(): number {
    if (this.younger[this.anchor] === this.anchor) return -1;
    if (this.random.double() >= this.given.ordered) {
      for (let i = 0; i < TRIES; i++) {
        const slot = this.popular[this.ranks.draw(this.random) - 1];
        if (this.elder[slot] >= 0) return slot;
      }
    }
    this.cursor = this.younger[this.cursor];
    if (this.cursor === this.anchor) this.cursor = this.younger[this.anchor];
    return this.cursor;
  }
}

function apply(trace: Trace, seed: number, given: AccessedOptions): Trace {
  const random = randomFor("accessed", seed);
  const builder = new TraceBuilder(trace.name);
  const copy = new TraceCopy(trace, builder);
  const visits = new Visits(trace.slots, random, given);
  const counts = exponential(given.dereferences);
  let due = 0;
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    if (code === Op.free) visits.died(copy.slotOf(trace.slot[i]));
    copy.event(i);
    if (code === Op.allocate) visits.born(copy.slotOf(trace.slot[i]));
    for (due += given.visits; due >= 1; due--) {
      const slot = visits.next();
      if (slot >= 0) builder.access(slot, counts.draw(random));
    }
  }
  return builder.build();
}

/**
 * Dereferences between the events of a workload, for the price of indirection: a share of the visits walks over the blocks in
 * the order of birth, round and round, the others go to popular blocks.
 */
export const accessed: ModifierSpec<AccessedOptions> = {
  name: "accessed",
  title: "with dereferences",
  source:
    "Breslau et al., INFOCOM 1999 (Zipf's law of requests); walks in the order of allocation, Chilimbi et al., PLDI 1999",
  options,
  defaults: defaultsOf(options),
  apply,
};
