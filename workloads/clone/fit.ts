import { OP_MASK, Op, type Trace } from "../trace.js";
import { type CloneModel, type Counted, classOf, type Fate, lifeStep, type ModelPhase, type When } from "./model.js";

/** Counts things by a key. */
class Tally<Thing> {
  private readonly counts = new Map<string | number, [Thing, number]>();

  add(key: string | number, thing: Thing): void {
    const entry = this.counts.get(key);
    if (entry === undefined) this.counts.set(key, [thing, 1]);
    else entry[1]++;
  }

  list(): Counted<Thing> {
    return [...this.counts.values()];
  }
}

interface OpenPhase {
  readonly sizes: Tally<number>;
  readonly fates: Map<number, Tally<Fate>>;
}

const NEVER: When = Number.POSITIVE_INFINITY;
const unmoved: Fate["moves"] = [];

/** Blocks that are live, and the phases so far. */
class Fitting {
  private readonly phases: readonly OpenPhase[];
  /** By slot: class at birth, -1 where the slot holds no block; phase and number of the birth; reallocations so far. */
  private readonly birthClass: Int32Array;
  private readonly birthPhase: Int32Array;
  private readonly birth: Float64Array;
  private readonly moves = new Map<number, (readonly [When, number])[]>();
  private births = 0;

  constructor(phases: number, slots: number) {
    this.phases = Array.from({ length: phases }, () => ({ sizes: new Tally<number>(), fates: new Map() }));
    this.birthClass = new Int32Array(slots).fill(-1);
    this.birthPhase = new Int32Array(slots);
    this.birth = new Float64Array(slots);
  }

  born(slot: number, size: number, phase: number): void {
    this.birthClass[slot] = classOf(size);
    this.birthPhase[slot] = phase;
    this.birth[slot] = this.births++;
    this.phases[phase].sizes.add(size, size);
  }

  moved(slot: number, size: number, phase: number): void {
    const moves = this.moves.get(slot);
    if (moves === undefined) this.moves.set(slot, [[this.when(slot, phase), size]]);
    else moves.push([this.when(slot, phase), size]);
  }

  died(slot: number, phase: number): void {
    this.close(slot, this.when(slot, phase));
  }

  /** The model; what is live now never dies. */
  model(): CloneModel {
    this.birthClass.forEach((sizeClass, slot) => {
      if (sizeClass >= 0) this.close(slot, NEVER);
    });
    let parameters = 0;
    const phases = this.phases.map(({ sizes, fates }): ModelPhase => {
      const lists = [...fates].map(([sizeClass, tally]) => [sizeClass, tally.list()] as const);
      parameters += sizes.list().length;
      for (const [, list] of lists) for (const [{ moves }] of list) parameters += 1 + moves.length;
      return { sizes: sizes.list(), fates: new Map(lists) };
    });
    return { phases, parameters };
  }

  private when(slot: number, phase: number): When {
    return this.birthPhase[slot] === phase ? lifeStep(this.births - this.birth[slot]) : -1 - phase;
  }

  private close(slot: number, end: When): void {
    const { fates } = this.phases[this.birthPhase[slot]];
    const sizeClass = this.birthClass[slot];
    let tally = fates.get(sizeClass);
    if (tally === undefined) {
      tally = new Tally();
      fates.set(sizeClass, tally);
    }
    const moves = this.moves.get(slot) ?? unmoved;
    tally.add(moves === unmoved ? end : `${moves.join(" ")} ${end}`, { moves, end });
    this.moves.delete(slot);
    this.birthClass[slot] = -1;
  }
}

/**
 * Fits a generator: in each of `phases` equal stretches of the events the sizes of allocations and, for each class of sizes, what
 * becomes of the blocks. Accesses, pins, marks, threads, sites and alignments are not part of it.
 */
export function fitClone(trace: Trace, phases: number): CloneModel {
  const fitting = new Fitting(phases, trace.slots);
  for (let i = 0; i < trace.length; i++) {
    const slot = trace.slot[i];
    const phase = Math.min(phases - 1, Math.floor((i * phases) / trace.length));
    const code = trace.op[i] & OP_MASK;
    if (code === Op.allocate) fitting.born(slot, trace.size[i], phase);
    else if (code === Op.reallocate) fitting.moved(slot, trace.size[i], phase);
    else if (code === Op.free) fitting.died(slot, phase);
  }
  return fitting.model();
}
