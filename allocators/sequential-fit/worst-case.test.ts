/** Programs that read addresses, and what theory says they reach, in words. */
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import type { Ref } from "../allocator.js";
import { type Fit, resolveFit, type SequentialFitOptions } from "./options.js";
import { SequentialFit } from "./sequential-fit.js";

interface Word {
  readonly at: number;
  readonly size: number;
}

/** A store of words, from 0 up, under one of the fits in policy mode. */
class Store {
  live = 0;
  peak = 0;
  /** Words from 0 to the end of the highest block so far. */
  extent = 0;
  private readonly heap: SequentialFit;
  private base = -1;

  constructor(fit: Fit, given: Partial<SequentialFitOptions> = {}) {
    const options = resolveFit(fit, { header: "none", granule: 1, wilderness: "preserved", ...given });
    this.heap = new SequentialFit(createAddressSpace(), fit, options);
  }

  request(size: number): Word {
    const ref = this.heap.allocate(size);
    if (this.base < 0) this.base = ref;
    const at = ref - this.base;
    this.live += size;
    this.peak = Math.max(this.peak, this.live);
    this.extent = Math.max(this.extent, at + size);
    return { at, size };
  }

  free({ at, size }: Word): void {
    this.live -= size;
    this.heap.free((this.base + at) as Ref);
  }
}

/** Robson 1974, program P_R with live words up to `m` and blocks up to n = 2^b. Ties: the smaller offset. */
function robson(store: Store, m: number, b: number): number {
  let blocks: Word[] = [];
  const fill = (size: number): void => {
    while (store.live + size <= m) blocks.push(store.request(size));
  };
  const modulo = (x: number, step: number): number => ((x % step) + step) % step;
  fill(1);
  let offset = 0;
  for (let j = 1; j < b; j++) {
    const step = 1 << j;
    const choices = [offset, offset + step / 2].map((f) => {
      const gone = blocks.filter(({ at, size }) => {
        const past = modulo(at - f, step);
        return past !== 0 && past + size <= step;
      });
      return { f, gone, price: gone.reduce((sum, { size }) => sum + step - size, 0) };
    });
    const choice = choices[1].price < choices[0].price ? choices[1] : choices[0];
    offset = choice.f;
    const gone = new Set(choice.gone);
    blocks = blocks.filter((block) => !gone.has(block));
    for (const block of gone) store.free(block);
    fill(step);
  }
  const step = 1 << (b - 1);
  const sorted = [...blocks].sort((x, y) => x.at - y.at);
  const index = (x: number): number => Math.floor((x - offset + step - 1) / step);
  const marks = (low: number, high: number): number => Math.max(0, index(high) - index(low));
  const gaps = sorted.map(({ at }, i) => marks(i === 0 ? 0 : sorted[i - 1].at + sorted[i - 1].size, at));
  gaps.push(0);
  const words = (parity: number): number => sorted.reduce((sum, { size }, i) => sum + (i % 2 === parity ? size : 0), 0);
  const parity = words(1) > words(0) ? 1 : 0;
  sorted.forEach((block, i) => {
    if (i % 2 === parity && gaps[i] % 2 === 0 && gaps[i + 1] % 2 === 0) store.free(block);
  });
  fill(2 * step);
  return store.extent;
}

/** The attack on best fit: R_{m-2} (F_{m-3} R_1)^k, R reserved and F free words, grown from k = 0 to `count`. */
function attack(store: Store, m: number, count: number): void {
  const request = (size: number): Word => store.request(size);
  const free = (...blocks: Word[]): void => {
    for (const block of blocks) store.free(block);
  };
  let base = request(m - 2);
  let ones: Word[] = [];
  for (let k = 0; k < count; k++) {
    const [x, y] = [request(m - 2), request(m - 2)];
    let left = ones.pop();
    free(left ?? base, x);
    let whole = request(m);
    let large = request(m - 5);
    let one = request(1);
    free(whole, y);
    const behind: Word[] = [];
    while (left !== undefined) {
      const [p, pair] = [request(m - 2), request(2)];
      left = ones.pop();
      free(left ?? base, p);
      whole = request(m);
      const next = request(m - 5);
      behind.push(one);
      one = request(1);
      free(whole, pair, large);
      large = next;
    }
    free(large);
    base = request(m - 2);
    ones = [one, ...behind.reverse()];
  }
}

describe("the fits in policy mode", () => {
  for (const fit of ["first", "best", "next", "worst"] as const) {
    it(`${fit} fit needs exactly M(1 + b/2) - n/2 + 1 words under Robson's program`, () => {
      for (const [m, b] of [
        [256, 4],
        [1024, 4],
        [1024, 8],
        [4096, 6],
        [4096, 9],
      ]) {
        expect(robson(new Store(fit), m, b)).toBe(m * (1 + b / 2) - (1 << (b - 1)) + 1);
      }
    });
  }

  it("best fit is driven to exactly (m - 2)(K + 2) words for K + 4m - 10 live, if the wilderness is preserved", () => {
    for (const [m, k] of [
      [8, 50],
      [16, 100],
      [32, 60],
    ]) {
      const best = new Store("best");
      attack(best, m, k);
      expect([best.extent, best.peak]).toEqual([(m - 2) * (k + 2), k + 4 * m - 10]);
    }
  });

  it("the same requests do little harm to first fit, or to best fit whose free end is an ordinary hole", () => {
    const first = new Store("first");
    attack(first, 16, 200);
    expect([first.extent, first.peak]).toEqual([295, 254]);
    const ordinary = new Store("best", { wilderness: "ordinary", growth: 0 });
    attack(ordinary, 16, 200);
    expect(ordinary.extent).toBeLessThan(1.3 * ordinary.peak);
  });
});
