import { grown } from "../../memory/columns.js";

/** CPython's order of arenas: the list usable_arenas of obmalloc.c. */

/** The end of the list. */
const NONE = -1;

/**
 * Fewest free pools first, so that the others get a chance to become wholly free. Of equal ones the arena that came to
 * have so many last is first. `lastWith` finds the place of an arena that moves in one step (nfp2lasta, bpo-37029).
 */
export class FullestFirst {
  /** By slot: neighbours in the list, and the number of free pools. */
  private next: Int32Array;
  private prev: Int32Array;
  private free: Int32Array;
  private head = NONE;
  /** By number of free pools: the last arena with as many. */
  private readonly lastWith: Int32Array;

  constructor(most: number) {
    this.next = new Int32Array(16);
    this.prev = new Int32Array(16);
    this.free = new Int32Array(16);
    this.lastWith = new Int32Array(most + 1).fill(NONE);
  }

  first(): number {
    return this.head;
  }

  open(slot: number, free: number): void {
    if (slot >= this.next.length) this.grow(2 * slot);
    this.free[slot] = free;
    this.insertAfter(slot, NONE);
    this.lastWith[free] = slot;
  }

  /** The first arena has the fewest free pools of all, so with one fewer it is still the first, alone with its number. */
  take(slot: number, free: number): void {
    this.free[slot] = free;
    if (this.lastWith[free + 1] === slot) this.lastWith[free + 1] = NONE;
    if (free > 0) this.lastWith[free] = slot;
    else this.unlink(slot);
  }

  /** Behind all with as many as it had: before those that have as many as it has now (insert_to_freepool). */
  give(slot: number, free: number): void {
    const last = this.lastWith[free - 1];
    this.leave(slot, free - 1);
    this.free[slot] = free;
    if (this.lastWith[free] === NONE) this.lastWith[free] = slot;
    if (free === 1) this.insertAfter(slot, NONE);
    else if (last !== slot) {
      this.unlink(slot);
      this.insertAfter(slot, last);
    }
  }

  close(slot: number, free: number): void {
    this.leave(slot, free - 1);
    this.unlink(slot);
  }

  /** As in C: one that is the last of the list, whether or not another is empty. */
  keeps(slot: number): boolean {
    return this.next[slot] === NONE;
  }

  list(): number[] {
    const slots: number[] = [];
    for (let slot = this.head; slot !== NONE; slot = this.next[slot]) slots.push(slot);
    return slots;
  }

  /** An arena is no longer one of those with `free` pools. */
  private leave(slot: number, free: number): void {
    if (this.lastWith[free] !== slot) return;
    const prev = this.prev[slot];
    this.lastWith[free] = prev !== NONE && this.free[prev] === free ? prev : NONE;
  }

  /** Links an unlinked arena in behind `prev`, or in front where that is `NONE`. */
  private insertAfter(slot: number, prev: number): void {
    const next = prev === NONE ? this.head : this.next[prev];
    this.next[slot] = next;
    this.prev[slot] = prev;
    if (next !== NONE) this.prev[next] = slot;
    if (prev === NONE) this.head = slot;
    else this.next[prev] = slot;
  }

  private unlink(slot: number): void {
    const next = this.next[slot];
    const prev = this.prev[slot];
    if (next !== NONE) this.prev[next] = prev;
    if (prev === NONE) this.head = next;
    else this.next[prev] = next;
  }

  private grow(length: number): void {
    this.next = grown(this.next, length);
    this.prev = grown(this.prev, length);
    this.free = grown(this.free, length);
  }
}
