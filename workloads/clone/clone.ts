import type { Random } from "../../memory/random.js";
import { randomFor } from "../../memory/random.js";
import { Deadlines } from "../deadlines.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { type CloneModel, type Counted, classOf, type Fate, lifeBounds, type ModelPhase } from "./model.js";

/** Everything that was counted, each as often as it was, in random order. */
function shuffled<Thing>(counted: Counted<Thing>, random: Random): Thing[] {
  const all = counted.flatMap(([thing, count]) => new Array<Thing>(count).fill(thing));
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = all[i];
    all[i] = all[j];
    all[j] = kept;
  }
  return all;
}

/** What is next for a block: a new size, or its end. */
const END = -1;

class Cloner {
  private readonly builder: TraceBuilder;
  private readonly random: Random;
  /** For each block what is to come, the next last. */
  private readonly pending: number[][] = [];
  /** Blocks to which something happens in each later phase, as often as it does. */
  private readonly waiting: number[][];
  private births = 0;

  constructor(builder: TraceBuilder, random: Random, phases: number) {
    this.builder = builder;
    this.random = random;
    this.waiting = Array.from({ length: phases }, () => []);
  }

  /** Births and what happens to older blocks in random order; what happens to the young when their time has come. */
  phase(model: ModelPhase, index: number): void {
    const { random } = this;
    const sizes = shuffled(model.sizes, random);
    const fates = new Map([...model.fates].map(([one, counted]) => [one, shuffled(counted, random)]));
    const old = shuffled(
      this.waiting[index].map((slot) => [slot, 1] as const),
      random,
    );
    const young = new Deadlines();
    while (sizes.length + old.length > 0) {
      if (random.below(sizes.length + old.length) >= sizes.length) this.advance(old.pop() as number);
      else {
        while (young.next <= this.births) this.advance(young.take());
        const size = sizes.pop() as number;
        this.allocate(size, (fates.get(classOf(size)) as Fate[]).pop() as Fate, young);
      }
    }
    while (young.size > 0) this.advance(young.take());
  }

  private allocate(size: number, { moves, end }: Fate, young: Deadlines): void {
    const slot = this.builder.allocate(size);
    const birth = this.births++;
    let due = 0;
    const schedule = (when: number): void => {
      if (when < 0) this.waiting[-1 - when].push(slot);
      else if (when !== Number.POSITIVE_INFINITY) {
        const { low, high } = lifeBounds(when);
        // Events of one step keep their order: deadlines that are equal are met in the order in which they were set.
        due = Math.max(due, birth + low + this.random.below(high - low));
        young.add(slot, due);
      }
    };
    for (const [when] of moves) schedule(when);
    schedule(end);
    const pending = moves.map(([, newSize]) => newSize).reverse();
    if (end !== Number.POSITIVE_INFINITY) pending.unshift(END);
    this.pending[slot] = pending;
  }

  /** The next thing happens to a block. */
  private advance(slot: number): void {
    const next = this.pending[slot].pop() as number;
    if (next === END) this.builder.free(slot);
    else this.builder.reallocate(slot, next);
  }
}

/**
 * A trace drawn from a model: without replacement, so it has exactly the sizes of each phase and, by class of sizes, its
 * lifetimes; what is drawn is their order and which block has which.
 */
export function cloneOf(model: CloneModel, name: string, seed: number): Trace {
  const builder = new TraceBuilder(name);
  const cloner = new Cloner(builder, randomFor("clone", seed), model.phases.length);
  model.phases.forEach((phase, index) => {
    cloner.phase(phase, index);
  });
  return builder.build();
}
