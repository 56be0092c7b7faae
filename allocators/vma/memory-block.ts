import type { Address } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { FreeLists } from "./free-lists.js";
import { FREE, NIL, type Nodes } from "./nodes.js";

/**
 * One block of device memory and what VMA knows of it (VmaBlockMetadata_TLSF): ranges in the order of their offsets, the
 * free ones in lists but for the last, which has never been cut (the null block) or is free up to the end.
 */
export class MemoryBlock {
  readonly base: Address;
  readonly bytes: number;
  /** Set for the memory of one allocation alone. */
  readonly dedicated: boolean;
  readonly lists: FreeLists;
  /** Allocations, reserved ranges included; free units; units below the highest end that an allocation ever had. */
  count = 0;
  free: number;
  used = 0;
  /** The last range, free and in no list; it may be empty. */
  readonly tail: number;
  private readonly nodes: Nodes;
  private readonly costs: Costs;
  private readonly number: number;

  /** All of it is free. The nodes must have a record to give. */
  constructor(
    number: number,
    base: Address,
    bytes: number,
    unit: number,
    dedicated: boolean,
    nodes: Nodes,
    costs: Costs,
  ) {
    this.number = number;
    this.base = base;
    this.bytes = bytes;
    this.dedicated = dedicated;
    this.nodes = nodes;
    this.costs = costs;
    this.lists = new FreeLists(nodes, unit);
    this.free = bytes / unit;
    this.tail = nodes.take(number, 0, this.free, FREE);
    nodes.link(this.tail, NIL);
  }

  /**
   * A range for `owner` at a multiple of `step` units: from the lists of larger sizes, else the last range, else the list
   * of its own size (CreateAllocationRequest with no strategy, Alloc). -1 where none is found. Where `step` is not 1, only
   * ranges are looked at that hold it wherever they begin. The nodes must have two records to give.
   */
  place(units: number, step: number, owner: number): number {
    const { lists, nodes, costs } = this;
    if (units > this.free) return NIL;
    const need = units + step - 1;
    let found = lists.count > 0 ? lists.larger(need) : NIL;
    costs[Cost.listHops] += 1;
    if (found < 0 && nodes.size[this.tail] >= units + this.leadAt(this.tail, step)) found = this.tail;
    if (found < 0 && lists.count > 0) {
      const { node, looks } = lists.withinOwn(need);
      costs[Cost.listHops] += looks;
      found = node;
    }
    return found < 0 ? NIL : this.carve(found, units, step, owner);
  }

  /** Units in front of the first multiple of `step` in a range. */
  leadAt(node: number, step: number): number {
    const over = this.nodes.offset[node] % step;
    return over === 0 ? 0 : step - over;
  }

  /** Cuts a range for `owner` from a free one that is large enough. */
  carve(found: number, units: number, step: number, owner: number): number {
    const { nodes, lists, number } = this;
    const start = nodes.offset[found];
    const lead = this.leadAt(found, step);
    const end = start + nodes.size[found];
    const made = found === this.tail ? nodes.take(number, start + lead, units, owner) : found;
    if (found === this.tail) {
      nodes.link(made, found);
      nodes.offset[found] = start + lead + units;
      nodes.size[found] = end - start - lead - units;
    } else {
      lists.remove(found);
      nodes.offset[made] = start + lead;
      nodes.size[made] = units;
      nodes.owner[made] = owner;
      const rest = end - start - lead - units;
      if (rest > 0) {
        const node = nodes.take(number, start + lead + units, rest, FREE);
        nodes.link(node, nodes.after[made]);
        lists.insert(node);
      }
    }
    if (lead > 0) {
      const node = nodes.take(number, start, lead, FREE);
      nodes.link(node, made);
      lists.insert(node);
    }
    if (lead > 0 || found !== this.tail) this.costs[Cost.splits] += 1;
    this.count++;
    this.free -= units;
    if (start + lead + units > this.used) this.used = start + lead + units;
    return made;
  }

  /** VmaBlockMetadata_TLSF::Free: the range is free, and one with its free neighbours. */
  release(node: number): void {
    const { nodes, lists, costs } = this;
    this.count--;
    this.free += nodes.size[node];
    nodes.owner[node] = FREE;
    let range = node;
    const before = nodes.before[node];
    if (before >= 0 && nodes.owner[before] === FREE) {
      lists.remove(before);
      nodes.absorbAfter(before);
      range = before;
      costs[Cost.coalesces] += 1;
    }
    const after = nodes.after[range];
    if (after === this.tail) {
      nodes.offset[after] = nodes.offset[range];
      nodes.size[after] += nodes.size[range];
      nodes.before[after] = nodes.before[range];
      if (nodes.before[range] >= 0) nodes.after[nodes.before[range]] = after;
      nodes.give(range);
      costs[Cost.coalesces] += 1;
      return;
    }
    if (nodes.owner[after] === FREE) {
      lists.remove(after);
      nodes.absorbAfter(range);
      costs[Cost.coalesces] += 1;
    }
    lists.insert(range);
  }
}
