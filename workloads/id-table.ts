import { grown } from "../memory/columns.js";

/** Ids below this have an entry of their own in a plain column that grows as they appear (16 MiB at the most). */
const DIRECT = 1 << 22;
const EMPTY = -1;

/**
 * From the ids of a foreign trace (dense numbers, ever-growing ordinals or addresses, whole numbers below 2^53) to the
 * slots of its live blocks. Small ids index a column; the others share a hash table with linear probing whose size
 * follows the number of live ids, so a trace of any length needs memory only for its live set.
 */
export class IdTable {
  private direct = new Int32Array(1024).fill(EMPTY);
  private keys = new Float64Array(1024);
  private slots = new Int32Array(1024).fill(EMPTY);
  private hashed = 0;

  /** The slot of an id, or -1; negative ids have none. */
  find(id: number): number {
    if (id < 0) return EMPTY;
    if (id < DIRECT) return id < this.direct.length ? this.direct[id] : EMPTY;
    return this.slots[this.probe(id)];
  }

  set(id: number, slot: number): void {
    if (id < DIRECT) {
      if (id >= this.direct.length) this.growDirect(id);
      this.direct[id] = slot;
      return;
    }
    let at = this.probe(id);
    if (this.slots[at] === EMPTY) {
      if (2 * ++this.hashed > this.keys.length) {
        this.growHashed();
        at = this.probe(id);
      }
      this.keys[at] = id;
    }
    this.slots[at] = slot;
  }

  /** Forgets an id; an id that is not there is left alone. */
  delete(id: number): void {
    this.take(id);
  }

  /** Forgets an id; the slot that it had, or -1. */
  take(id: number): number {
    if (id < DIRECT) {
      const known = id >= 0 && id < this.direct.length;
      const slot = known ? this.direct[id] : EMPTY;
      if (known) this.direct[id] = EMPTY;
      return slot;
    }
    const found = this.probe(id);
    const slot = this.slots[found];
    if (slot !== EMPTY) this.close(found);
    return slot;
  }

  /** Empties a place of the hash table. */
  private close(found: number): void {
    let hole = found;
    this.hashed--;
    const mask = this.keys.length - 1;
    // Backward shift (Knuth 6.4, algorithm R): entries behind the hole move up unless they would pass their home.
    for (let at = (hole + 1) & mask; this.slots[at] !== EMPTY; at = (at + 1) & mask) {
      const home = this.home(this.keys[at]);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.keys[hole] = this.keys[at];
      this.slots[hole] = this.slots[at];
      hole = at;
    }
    this.slots[hole] = EMPTY;
  }

  private probe(id: number): number {
    const mask = this.keys.length - 1;
    let at = this.home(id);
    while (this.slots[at] !== EMPTY && this.keys[at] !== id) at = (at + 1) & mask;
    return at;
  }

  private home(id: number): number {
    const high = (id / 4294967296) | 0;
    const mixed = Math.imul((id >>> 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & (this.keys.length - 1);
  }

  private growDirect(id: number): void {
    this.direct = grown(this.direct, Math.min(DIRECT, Math.max(2 * this.direct.length, 2 * id)), EMPTY);
  }

  private growHashed(): void {
    const { keys, slots } = this;
    this.keys = new Float64Array(2 * keys.length);
    this.slots = new Int32Array(2 * keys.length).fill(EMPTY);
    for (let i = 0; i < keys.length; i++) {
      if (slots[i] === EMPTY) continue;
      const at = this.probe(keys[i]);
      this.keys[at] = keys[i];
      this.slots[at] = slots[i];
    }
  }
}
