/** Worst cases of allocators that do not move blocks. */
import { allocatorArm, programArm } from "../harness/arm.js";
import { drive } from "../harness/drive.js";
import { robsonLowerBound, robsonOnFits, robsonUpperBound } from "../harness/theory.js";
import { atLeast, type Check, exactly, type Target } from "./verification.js";
import { policyFits, WORD } from "./verify-fits.js";

/** Words live and words of the largest request: the rows of the published table. */
const cases = [
  [256, 16],
  [1024, 16],
  [1024, 256],
  [4096, 64],
  [4096, 512],
] as const;

const buddies: Readonly<Record<string, string>> = { buddy: "buddy", "buddy, LIFO": "buddy:policy=lifo" };
/** Others that do not move blocks, in one stretch of memory: the lower bound holds for them too. */
const others = ["first-fit", "bump", "handle-table:compact=none"];

const PROVED = "Robson 1974, JACM 21(3), result 1";
const OBSERVED = "M(1 + b/2) - n/2 + 1, observed for all fits; Robson's program P_R, JACM 21(3), 1974";

function checks(): Check[] {
  return cases.flatMap(([live, largest]) => {
    const words = (allocator: string): number =>
      drive(programArm(`robson:live=${live},largest=${largest},word=${WORD}`), 1, allocatorArm(allocator)).extent /
      WORD;
    const of = (what: string): string => `robson ${what}, M=${live} n=${largest}`;
    return [
      ...Object.entries(policyFits).map(([name, selector]) =>
        exactly(of(name), robsonOnFits(live, largest), words(selector), OBSERVED),
      ),
      ...Object.entries(buddies).map(([name, selector]) =>
        exactly(of(name), robsonUpperBound(live, largest), words(selector), `${PROVED}: first-fit buddy`),
      ),
      ...others.map((selector) =>
        atLeast(of(selector), robsonLowerBound(live, largest), words(selector), `${PROVED}: no allocator needs less`),
      ),
    ];
  });
}

export const robsonTarget: Target = {
  name: "robson",
  title: "Robson's program drives fits and buddy systems to their worst case, to the word",
  quick: true,
  run: checks,
};
