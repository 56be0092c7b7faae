/** What buddy systems round away: allocated over requested, with the sizes drawn or each taken once. */
import { allocatorArm } from "../harness/arm.js";
import { geometricClassesWaste } from "../harness/theory.js";
import { createAddressSpace } from "../memory/address-space.js";
import { exp, ln } from "../memory/exact-math.js";
import { type Random, randomFor } from "../memory/random.js";
import { type Check, exactly, type Target, within } from "./verification.js";

const WORD = 16;
const DRAWS = 200_000;

/** Capacity handed out over bytes asked for, each block freed at once. */
function overRequested(selector: string, sizes: Iterable<number>): number {
  const space = createAddressSpace();
  const arm = allocatorArm(selector);
  const heap = arm.spec.create(space, arm.options);
  let asked = 0;
  let given = 0;
  for (const size of sizes) {
    const ref = heap.allocate(size);
    asked += size;
    given += heap.capacityOf(ref);
    heap.free(ref);
    space.log.clear();
  }
  return given / asked;
}

function* draws(draw: (random: Random) => number): Generator<number> {
  const random = randomFor("internal-waste", 1);
  for (let i = 0; i < DRAWS; i++) yield draw(random);
}

function* each(to: number): Generator<number> {
  for (let words = 1; words <= to; words++) yield words * WORD;
}

const MOST = 1 << 20;
/** The largest Fibonacci size that is not above the chunk of 1 MiB, in words of 16 bytes. */
const FIBONACCI = 46368 * WORD;
const GOLDEN = (1 + Math.sqrt(5)) / 2;

const uniform = (most: number) => (random: Random) => random.between(1, most);
/** Density in proportion to 1/x on (16 words, 1 MiB]: a whole number of octaves. */
const logUniform = (random: Random): number => Math.ceil(256 * exp(random.double() * ln(MOST / 256)));
const exponential = (random: Random): number => Math.ceil(-ln(1 - random.double()) * 100 * 256);

const UNIFORM = "2r/(r+1) for sizes uniform on (0, S] and classes S/r^k";
const TWO_SERIES = "7/6 for sizes uniform on (0, S] and classes 2^k and 3*2^k";
const BINARY = "classes 2^k: 1/ln 2 for exponential sizes of any mean, 2 ln 2 for log-uniform ones";
const INTEGERS = "sum of the least power of two not below n, over the sum of n, for n = 1 ... 1024";

function checks(): Check[] {
  const near = (target: string, expected: number, selector: string, draw: (random: Random) => number, source: string) =>
    within(target, expected, 0.003 * expected, overRequested(selector, draws(draw)), source);
  const powers = Array.from({ length: 11 }, (_, k) => (k === 0 ? 1 : (1 << k) * (1 << (k - 1)))).reduce(
    (a, b) => a + b,
  );
  return [
    exactly(
      "binary buddy, each of 1 to 1024 words",
      powers / ((1024 * 1025) / 2),
      overRequested("buddy", each(1024)),
      INTEGERS,
    ),
    near("binary buddy, uniform", geometricClassesWaste(2), "buddy", uniform(MOST), UNIFORM),
    near("Fibonacci buddy, uniform", geometricClassesWaste(GOLDEN), "fibonacci-buddy", uniform(FIBONACCI), UNIFORM),
    near("weighted buddy, uniform", 7 / 6, "weighted-buddy", uniform(MOST), TWO_SERIES),
    near("double buddy, uniform", 7 / 6, "double-buddy", uniform(MOST), TWO_SERIES),
    near("binary buddy, exponential", 1 / ln(2), "buddy", exponential, BINARY),
    near("binary buddy, log-uniform", 2 * ln(2), "buddy", logUniform, BINARY),
  ];
}

export const internalWaste: Target = {
  name: "internal-waste",
  title: "Internal waste of buddy systems: allocated over requested, in closed form",
  quick: true,
  run: checks,
};
