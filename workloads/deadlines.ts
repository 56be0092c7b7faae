import { grown } from "../memory/columns.js";

/** Live blocks in the order in which they are due to die: a binary heap of slots by deadline, ties by birth. */
export class Deadlines {
  private slots = new Uint32Array(1024);
  private due = new Float64Array(1024);
  private births = new Float64Array(1024);
  private count = 0;
  private born = 0;

  get size(): number {
    return this.count;
  }

  /** The least deadline, Infinity where there is no block. */
  get next(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.due[0];
  }

  add(slot: number, due: number): void {
    if (this.count === this.slots.length) this.grow();
    let at = this.count++;
    const birth = this.born++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // A tie goes to the elder, and this one is the youngest of all.
      if (this.due[parent] <= due) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, slot, due, birth);
  }

  /** Removes and returns the slot with the least deadline; there is one. */
  take(): number {
    const first = this.slots[0];
    const last = --this.count;
    const due = this.due[last];
    const birth = this.births[last];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.before(child + 1, child)) child++;
      if (due < this.due[child] || (due === this.due[child] && birth < this.births[child])) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, this.slots[last], due, birth);
    return first;
  }

  private before(a: number, b: number): boolean {
    return this.due[a] < this.due[b] || (this.due[a] === this.due[b] && this.births[a] < this.births[b]);
  }

  private move(from: number, to: number): void {
    this.put(to, this.slots[from], this.due[from], this.births[from]);
  }

  private put(at: number, slot: number, due: number, birth: number): void {
    this.slots[at] = slot;
    this.due[at] = due;
    this.births[at] = birth;
  }

  private grow(): void {
    const length = 2 * this.slots.length;
    this.slots = grown(this.slots, length);
    this.due = grown(this.due, length);
    this.births = grown(this.births, length);
  }
}
