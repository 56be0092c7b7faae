import { grown } from "./columns.js";

/**
 * Doubly linked lists of small integers: the pools of a size class, the arenas of a heap, the free lists of a bin. All
 * lists share one pair of columns, so a node is in at most one of them and leaves it without naming it.
 */

/**
 * A fixed number of lists, 0 upwards, over nodes 0 upwards. The head of list k is itself a node, -1 - k, and each list
 * is a ring through its head. So no link is ever missing, the neighbour beyond either end is the head, which is
 * negative, and inserting beside a head adds at an end.
 */
export class IndexList {
  private readonly lists: number;
  /** The neighbours of node i are at i + `lists`, as indices of these columns. */
  private nextOf: Int32Array;
  private previousOf: Int32Array;

  /** Empty lists, with room for `capacity` nodes; inserting makes room for more. */
  constructor(lists: number, capacity = 1024) {
    this.lists = lists;
    this.nextOf = new Int32Array(lists + capacity);
    this.previousOf = new Int32Array(lists + capacity);
    for (let list = 0; list < lists; list++) this.reset(list);
  }

  /** The head of a list: the negative node that all ends of the list lead to. */
  head(list: number): number {
    return -1 - list;
  }

  isEmpty(list: number): boolean {
    const at = this.lists - 1 - list;
    return this.nextOf[at] === at;
  }

  /** The first node; negative where the list is empty. */
  first(list: number): number {
    return this.nextOf[this.lists - 1 - list] - this.lists;
  }

  /** The last node; negative where the list is empty. */
  last(list: number): number {
    return this.previousOf[this.lists - 1 - list] - this.lists;
  }

  /** The node behind; negative at the end of the list. */
  next(node: number): number {
    return this.nextOf[node + this.lists] - this.lists;
  }

  /** The node in front; negative at the start of the list. */
  previous(node: number): number {
    return this.previousOf[node + this.lists] - this.lists;
  }

  /** Puts a node that is in no list first. */
  pushFront(list: number, node: number): void {
    this.insertAfter(-1 - list, node);
  }

  /** Puts a node that is in no list last. */
  pushBack(list: number, node: number): void {
    this.insertBefore(-1 - list, node);
  }

  /** Puts a node that is in no list behind `place`, a listed node or a head. */
  insertAfter(place: number, node: number): void {
    const at = node + this.lists;
    if (at >= this.nextOf.length) this.ensure(node + 1);
    const left = place + this.lists;
    const right = this.nextOf[left];
    this.nextOf[left] = at;
    this.previousOf[at] = left;
    this.nextOf[at] = right;
    this.previousOf[right] = at;
  }

  /** Puts a node that is in no list in front of `place`, a listed node or a head. */
  insertBefore(place: number, node: number): void {
    const at = node + this.lists;
    if (at >= this.nextOf.length) this.ensure(node + 1);
    const right = place + this.lists;
    const left = this.previousOf[right];
    this.nextOf[left] = at;
    this.previousOf[at] = left;
    this.nextOf[at] = right;
    this.previousOf[right] = at;
  }

  /** Takes a listed node out of its list. */
  remove(node: number): void {
    const at = node + this.lists;
    const left = this.previousOf[at];
    const right = this.nextOf[at];
    this.nextOf[left] = right;
    this.previousOf[right] = left;
  }

  /** Empties a list; its nodes are in no list then. */
  reset(list: number): void {
    const at = this.lists - 1 - list;
    this.nextOf[at] = at;
    this.previousOf[at] = at;
  }

  /** Makes room for nodes below `capacity`, at least doubling. */
  ensure(capacity: number): void {
    const needed = capacity + this.lists;
    if (needed <= this.nextOf.length) return;
    const length = Math.max(needed, this.nextOf.length * 2);
    this.nextOf = grown(this.nextOf, length);
    this.previousOf = grown(this.previousOf, length);
  }
}
