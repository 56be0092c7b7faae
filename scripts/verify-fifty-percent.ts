/** Knuth's fifty-percent rule, with p measured. */
import type { Ref } from "../allocators/allocator.js";
import { allocatorArm } from "../harness/arm.js";
import { createAddressSpace } from "../memory/address-space.js";
import { HeapMap, Kind } from "../memory/heap-map.js";
import { type Random, randomFor } from "../memory/random.js";
import { atMost, type Check, type Target, within } from "./verification.js";
import { type PolicyFit, policyFits, WORD } from "./verify-fits.js";

const LIVE = 500;
const STEPS = 20_000;
const SEEDS = 3;

type Draw = (random: Random) => number;
const uniform: Draw = (random) => random.between(1, 100);
const four: Draw = (random) => 16 * random.between(1, 4);

interface Balance {
  /** Mean number of holes. */
  holes: number;
  /** Share of allocations that do not use up a hole exactly. */
  p: number;
}

/** The holes of a heap: free runs that a live block follows. What is free behind the last block is the wilderness. */
class Holes {
  private readonly map = new HeapMap();
  private readonly sizes = new Map<number, number>();
  count = 0;

  see(walk: (map: HeapMap) => void): void {
    const { map, sizes } = this;
    map.clear();
    sizes.clear();
    walk(map);
    let start = -1;
    for (let i = 0; i < map.length; i++) {
      const kind = map.kind[i];
      if (kind === Kind.free || kind === Kind.fresh) {
        if (start < 0) start = map.start[i];
      } else if (kind === Kind.live) {
        if (start >= 0) sizes.set(start, map.start[i] - start);
        start = -1;
      }
    }
    this.count = sizes.size;
  }

  /** Whether a block placed at an address used up a hole. */
  isUsedUpBy(at: number, bytes: number): boolean {
    return this.sizes.get(at) === bytes;
  }
}

/** N blocks are live; each step frees one, any with the same chance or the oldest, and allocates another. */
function balance(selector: string, draw: Draw, victims: "random" | "fifo", seed: number): Balance {
  const random = randomFor("fifty-percent", seed);
  const space = createAddressSpace();
  const arm = allocatorArm(selector);
  const heap = arm.spec.create(space, arm.options);
  const live: Ref[] = Array.from({ length: LIVE }, () => heap.allocate(draw(random) * WORD));
  const holes = new Holes();
  const result = { holes: 0, p: 0 };
  let counted = 0;
  for (let step = 0; step < STEPS; step++) {
    const victim = victims === "random" ? random.below(LIVE) : step % LIVE;
    heap.free(live[victim]);
    const bytes = draw(random) * WORD;
    const watched = step >= STEPS / 3;
    if (watched) holes.see((map) => heap.walk(map));
    const ref = heap.allocate(bytes);
    live[victim] = ref;
    space.log.clear();
    if (!watched) continue;
    const usedUp = holes.isUsedUpBy(heap.addressOf(ref), bytes);
    counted++;
    result.holes += holes.count - (usedUp ? 1 : 0);
    if (!usedUp) result.p += 1;
  }
  return { holes: result.holes / counted, p: result.p / counted };
}

/** Holes over N p / 2, the means over seeds. */
function ratio(fit: PolicyFit, draw: Draw, victims: "random" | "fifo"): number {
  const runs = Array.from({ length: SEEDS }, (_, i) => balance(policyFits[fit], draw, victims, i + 1));
  const mean = (of: (run: Balance) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / SEEDS;
  return mean((run) => run.holes) / ((LIVE * mean((run) => run.p)) / 2);
}

const RULE = "Knuth, The Art of Computer Programming 1, section 2.5: holes = N p / 2, random frees, with p measured";
const BROKEN = "Shore 1977, CACM 20(11): systematic placement breaks the rule; first fit with frees in order of birth";

function checks(): Check[] {
  const fits = Object.keys(policyFits) as PolicyFit[];
  return [
    ...fits.map((fit) => within(`holes/(Np/2), ${fit}, 1 to 100 words`, 1, 0.01, ratio(fit, uniform, "random"), RULE)),
    within("holes/(Np/2), first fit, 16 32 48 64 words", 1, 0.01, ratio("first fit", four, "random"), RULE),
    atMost("holes/(Np/2), first fit, FIFO frees", 0.05, ratio("first fit", uniform, "fifo"), BROKEN),
  ];
}

export const fiftyPercent: Target = {
  name: "fifty-percent",
  title: "Knuth's fifty-percent rule holds where frees are random, and fails where they come in order of birth",
  quick: false,
  run: checks,
};
