import { Bitset } from "../../memory/bitset.js";
import { IndexList } from "../../memory/index-list.js";
import { FullestFirst } from "./fullest-first.js";
import type { ArenaChoice } from "./options.js";

const NONE = -1;

/** The arenas that have free pools, by slot, and which of them the next pool comes from. */
export interface ArenaOrder {
  /** The arena that the next pool comes from, negative where there is none. */
  first(): number;
  /** A new arena with all its pools free. No other has any. */
  open(slot: number, free: number, ordinal: number): void;
  /** An arena has a free pool less: `free` are left. */
  take(slot: number, free: number): void;
  /** An arena has a free pool more: `free` now. */
  give(slot: number, free: number): void;
  /** An arena with all its `free` pools free but one just now is given back to the system instead. */
  close(slot: number, free: number, ordinal: number): void;
  /** Whether an arena whose last pool has just become free is kept, where `empty` others are wholly free already. */
  keeps(slot: number, empty: number): boolean;
  /** All of them, the next one to be used first. */
  list(): number[];
}

/** Lowest address first: slots are in the order of addresses. */
class ByAddress implements ArenaOrder {
  private readonly usable = new Bitset();

  first(): number {
    return this.usable.first();
  }

  open(slot: number): void {
    this.usable.set(slot);
  }

  take(slot: number, free: number): void {
    if (free === 0) this.usable.clear(slot);
  }

  give(slot: number, free: number): void {
    if (free === 1) this.usable.set(slot);
  }

  close(slot: number): void {
    this.usable.clear(slot);
  }

  keeps(_slot: number, empty: number): boolean {
    return empty === 0;
  }

  list(): number[] {
    const slots: number[] = [];
    for (let slot = this.usable.first(); slot >= 0; slot = this.usable.next(slot + 1)) slots.push(slot);
    return slots;
  }
}

/** The arena made first. */
class OldestFirst implements ArenaOrder {
  /** Ordinals of the usable arenas, and the slots of all. */
  private readonly usable = new Bitset();
  private readonly slotOf = new Map<number, number>();
  private readonly ordinalIn = new Map<number, number>();

  first(): number {
    const ordinal = this.usable.first();
    return ordinal < 0 ? NONE : (this.slotOf.get(ordinal) ?? NONE);
  }

  open(slot: number, _free: number, ordinal: number): void {
    this.slotOf.set(ordinal, slot);
    this.ordinalIn.set(slot, ordinal);
    this.usable.set(ordinal);
  }

  take(slot: number, free: number): void {
    if (free === 0) this.usable.clear(this.ordinalIn.get(slot) ?? 0);
  }

  give(slot: number, free: number): void {
    if (free === 1) this.usable.set(this.ordinalIn.get(slot) ?? 0);
  }

  close(_slot: number, _free: number, ordinal: number): void {
    this.usable.clear(ordinal);
    this.slotOf.delete(ordinal);
  }

  keeps(_slot: number, empty: number): boolean {
    return empty === 0;
  }

  list(): number[] {
    const slots: number[] = [];
    for (let ordinal = this.usable.first(); ordinal >= 0; ordinal = this.usable.next(ordinal + 1)) {
      slots.push(this.slotOf.get(ordinal) ?? NONE);
    }
    return slots;
  }
}

/** Most free pools first; among equals the one that came to have so many last. */
class EmptiestFirst implements ArenaOrder {
  private readonly most: number;
  /** List k holds the arenas with k pools fewer than the most there can be. */
  private readonly lists: IndexList;
  private readonly filled = new Bitset();

  constructor(most: number) {
    this.most = most;
    this.lists = new IndexList(most);
  }

  first(): number {
    const list = this.filled.first();
    return list < 0 ? NONE : this.lists.first(list);
  }

  open(slot: number, free: number): void {
    this.insert(slot, free);
  }

  take(slot: number, free: number): void {
    this.remove(slot, free + 1);
    if (free > 0) this.insert(slot, free);
  }

  give(slot: number, free: number): void {
    if (free > 1) this.remove(slot, free - 1);
    this.insert(slot, free);
  }

  close(slot: number, free: number): void {
    this.remove(slot, free - 1);
  }

  keeps(_slot: number, empty: number): boolean {
    return empty === 0;
  }

  list(): number[] {
    const slots: number[] = [];
    for (let list = this.filled.first(); list >= 0; list = this.filled.next(list + 1)) {
      for (let slot = this.lists.first(list); slot >= 0; slot = this.lists.next(slot)) slots.push(slot);
    }
    return slots;
  }

  private insert(slot: number, free: number): void {
    this.lists.pushFront(this.most - free, slot);
    this.filled.set(this.most - free);
  }

  private remove(slot: number, free: number): void {
    this.lists.remove(slot);
    if (this.lists.isEmpty(this.most - free)) this.filled.clear(this.most - free);
  }
}

/** The order of a name, for arenas of at most `most` pools. */
export function arenaOrder(choose: ArenaChoice, most: number): ArenaOrder {
  switch (choose) {
    case "fullest":
      return new FullestFirst(most);
    case "address":
      return new ByAddress();
    case "emptiest":
      return new EmptiestFirst(most);
    case "oldest":
      return new OldestFirst();
  }
}
