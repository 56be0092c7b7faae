/** Requests for the object allocator of an installed CPython and for the simulator, from a seed. */
import { type Random, randomFor } from "../memory/random.js";

/** Operations as `python/drive-pymalloc.py` knows them. `callocate` places as `allocate` does. */
export const Request = { allocate: 0, free: 1, reallocate: 2, callocate: 3, statistics: 4 } as const;

/** Blocks are numbered from 1 in order of creation; numbers are never reused. */
export interface Requests {
  readonly name: string;
  readonly op: Int32Array;
  readonly block: Int32Array;
  readonly size: Int32Array;
}

class RequestList {
  readonly live: number[] = [];
  private readonly rows: number[][] = [];
  private made = 0;

  get length(): number {
    return this.rows.length;
  }

  allocate(size: number, op: number = Request.allocate): void {
    this.rows.push([op, ++this.made, size]);
    this.live.push(this.made);
  }

  /** Frees the live block at an index; the last one takes its place. */
  free(index: number): void {
    this.rows.push([Request.free, this.live[index], 0]);
    const last = this.live.pop();
    if (last !== undefined && index < this.live.length) this.live[index] = last;
  }

  reallocate(index: number, size: number): void {
    this.rows.push([Request.reallocate, this.live[index], size]);
  }

  statistics(): void {
    this.rows.push([Request.statistics, 0, 0]);
  }

  build(name: string): Requests {
    const column = (k: number): Int32Array => Int32Array.from(this.rows, (row) => row[k]);
    return { name, op: column(0), block: column(1), size: column(2) };
  }
}

/** Sizes 0 to 600 by all four requests, while the number of live blocks goes up and down. */
function churn(list: RequestList, random: Random): void {
  for (const [events, share] of [
    [9000, 0.75],
    [9000, 0.3],
    [6000, 0.6],
  ]) {
    for (let i = 0; i < events; i++) {
      const count = list.live.length;
      const draw = random.double();
      if (count === 0 || draw < share)
        list.allocate(random.below(601), draw < 0.1 ? Request.callocate : Request.allocate);
      else if (draw < 0.9) list.free(random.below(count));
      else list.reallocate(random.below(count), random.below(601));
    }
    list.statistics();
  }
}

/** Many arenas of few size classes, emptied in random order and filled again: the order of arenas and of pools. */
function arenas(list: RequestList, random: Random): void {
  for (const [target, size] of [
    [16000, 480],
    [600, 0],
    [13000, 500],
    [0, 0],
    [3000, 64],
  ]) {
    while (list.live.length < target) list.allocate(size + random.below(12));
    while (list.live.length > target) list.free(random.below(list.live.length));
    list.statistics();
  }
}

/** Growth and shrinking by small steps, among neighbours of the same classes. */
function growth(list: RequestList, random: Random): void {
  for (let i = 0; i < 2000; i++) list.allocate(1 + random.below(80));
  for (let i = 0; i < 16000; i++) {
    list.reallocate(random.below(list.live.length), random.below(i % 100 === 0 ? 2000 : 560));
    if (i % 4 === 0) {
      list.free(random.below(list.live.length));
      list.allocate(random.below(128));
    }
  }
  list.statistics();
}

/** The lists of requests, the same for ever. */
export function requestLists(): Requests[] {
  return Object.entries({ churn, arenas, growth }).map(([name, make]) => {
    const list = new RequestList();
    make(list, randomFor(`verify-pymalloc ${name}`, 1));
    return list.build(name);
  });
}
