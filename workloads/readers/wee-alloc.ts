import { lineReader } from "./line-format.js";
import type { Requests } from "./requests.js";

const LINE = /^\s*(Alloc|Free)\((\d+)\),?\s*$/;

/** A trace of wee_alloc's tests: a block is named by the count of allocations before it. */
class Blocks {
  private readonly requests: Requests;
  private born = 0;

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    if (/^\s*(?:\/\/.*|[[\]]|)$/.test(text)) return;
    const [, call, digits] = LINE.exec(text) ?? [];
    const number = Number(digits);
    if (call === undefined) this.requests.reject(text, '"Alloc(SIZE)," or "Free(INDEX),"');
    else if (call === "Alloc") this.requests.allocate(++this.born, number);
    else if (number < this.born) this.requests.free(number + 1);
    else this.requests.drop("unknownFree");
  }
}

/** The traces of Rust's wee_alloc: `Alloc(size),` and `Free(k),` where k counts the `Alloc` lines from 0. */
export const weeAlloc = lineReader({
  name: "wee-alloc",
  title: "wee_alloc trace",
  source: "wee_alloc, trace-malloc-free",
  sign: LINE,
  parse: (requests) => new Blocks(requests),
});
