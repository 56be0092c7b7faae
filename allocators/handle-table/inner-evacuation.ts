import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { ceilPowerOfTwo } from "../../memory/exact-math.js";
import { type ArenaPlacement, hasArenas, type MoveLog, none, type Ref } from "../allocator.js";
import type { Compactor } from "./handle-heap.js";
import type { InnerHandles } from "./inner-handles.js";
import type { Pins } from "./pins.js";
import { type VictimOrder, type Victims, victimsOf } from "./victims.js";

/** Most bytes of counts and lists of a pass. */
const SCRATCH = 1 << 30;
const REGION_BYTES = 8;
const ENTRY_BYTES = 4;

/**
 * Evacuation over an inner allocator, of which nothing is known but where its blocks are. The heap is cut into regions
 * of `region` bytes (pages, pools, slabs), or, with 0, into the arenas that the inner allocator speaks of. The sparsest are victims: each of their blocks is allocated anew through the inner allocator,
 * copied, and its old place freed. A new place in a victim is set aside until the pass is over and another asked for; one in a
 * region where nothing lived is given back, and blocks of that size stay from then on: nothing would be gained.
 *
 * A pass walks the table twice, for the counts and for what is to move; both lists lie in memory that is mapped for the
 * pass. Whether pages of emptied regions are given back is the inner allocator's affair.
 */
export class InnerEvacuation implements Compactor {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly handles: InnerHandles;
  private readonly pins: Pins;
  private readonly region: number;
  private readonly first: VictimOrder;
  /** The inner allocator where its arenas are the regions. */
  private readonly arenas: ArenaPlacement | undefined;
  private readonly scratch: Address;
  /** Numbers of the regions in which something lives. */
  private readonly regions = new Map<number, number>();
  private readonly parked: Ref[] = [];
  /** Sizes, in granules, for which no more places are to be had. */
  private readonly full = new Set<number>();

  constructor(space: AddressSpace, handles: InnerHandles, pins: Pins, region: number, first: VictimOrder) {
    this.space = space;
    this.costs = space.costs;
    this.handles = handles;
    this.pins = pins;
    this.region = region;
    this.first = first;
    this.arenas = region === 0 && hasArenas(handles.inner) ? handles.inner : undefined;
    this.scratch = space.reserve(SCRATCH, space.pageSize);
  }

  pass(budget: number, log: MoveLog): number {
    if (budget <= 0) return 0;
    const { space } = this;
    const victims = this.choose();
    const listed = victims.blocks.reduce((sum, entries) => sum + entries.length, 0);
    const bytes = this.regions.size * REGION_BYTES + listed * ENTRY_BYTES;
    const pages = Math.ceil(bytes / space.pageSize) * space.pageSize;
    if (pages > SCRATCH || !space.commit(this.scratch, pages, Use.meta)) return 0;
    let moved = 0;
    for (let rank = 0; rank < victims.order.length && moved < budget; rank++) {
      for (const index of victims.blocks[rank]) {
        if (moved >= budget) break;
        moved += this.evacuate(index, victims, log);
      }
    }
    while (this.parked.length > 0) this.handles.inner.free(this.parked.pop() as Ref);
    this.full.clear();
    if (pages > 0) space.unmap(this.scratch, pages);
    return moved;
  }

  private choose(): Victims<number> {
    const { handles, regions } = this;
    const { entries } = handles;
    const live: number[] = [];
    const fixed: number[] = [];
    let capacity = this.region;
    regions.clear();
    const add = (key: number, bytes: number, pinned: boolean): void => {
      let number = regions.get(key);
      if (number === undefined) {
        number = regions.size;
        regions.set(key, number);
        live.push(0);
      }
      live[number] += bytes;
      if (pinned) fixed.push(number);
    };
    entries.eachLive((index) => {
      this.costs[Cost.blocksVisited] += 1;
      const from = handles.placeOf(index);
      const bytes = Math.max(1, entries.askedOf(index));
      const pinned = this.pins.hold(index);
      if (this.arenas !== undefined) {
        const place = this.arenas.placementOf(from);
        if (place === undefined) return;
        capacity = Math.max(capacity, place.offset + bytes);
        add(place.arena, bytes, pinned);
      } else this.addPieces(from, bytes, pinned, add);
    });
    const isFixed = new Uint8Array(regions.size);
    for (const number of fixed) isFixed[number] = 1;
    // Until here regions have numbers in the order in which the table names them; victims want that of addresses.
    const sorted = [...regions].sort(([a], [b]) => a - b);
    const inOrder = Float64Array.from(sorted, ([, number]) => live[number]);
    const stuck = Uint8Array.from(sorted, ([, number]) => isFixed[number]);
    sorted.forEach(([key], rank) => {
      regions.set(key, rank);
    });
    const victims = victimsOf<number>(inOrder, stuck, ceilPowerOfTwo(capacity), this.first);
    entries.eachLive((index) => {
      this.costs[Cost.blocksVisited] += 1;
      const region = this.regionOf(handles.placeOf(index));
      const rank = region < 0 ? -1 : victims.rankOf[region];
      if (rank >= 0) victims.blocks[rank].push(index);
    });
    return victims;
  }

  /** Adds the parts of a block to the regions that it lies in. */
  private addPieces(
    from: Address,
    bytes: number,
    pinned: boolean,
    add: (key: number, bytes: number, pinned: boolean) => void,
  ): void {
    const { region } = this;
    for (let at = from; at < from + bytes; ) {
      const key = Math.floor(at / region);
      const next = Math.min(from + bytes, (key + 1) * region);
      add(key, next - at, pinned);
      at = next;
    }
  }

  /** Moves the block of an entry out of a victim. Returns the bytes copied, 0 where there is no better place. */
  private evacuate(index: number, victims: Victims<number>, log: MoveLog): number {
    const { handles, costs } = this;
    const asked = handles.entries.askedOf(index);
    const size = (asked + 7) >>> 3;
    if (this.full.has(size)) return 0;
    for (;;) {
      const place = handles.anotherFor(index);
      if (place === none) break;
      const region = this.regionOf(place);
      if (region < 0) {
        handles.inner.free(place);
        break;
      }
      if (victims.rankOf[region] >= 0) {
        this.parked.push(place);
        continue;
      }
      log.move(handles.entries.refOf(index), handles.placeOf(index), place, asked);
      handles.replace(index, place);
      costs[Cost.moves] += 1;
      costs[Cost.bytesMoved] += asked;
      return asked;
    }
    this.full.add(size);
    return 0;
  }

  /** Number of the region of a place, -1 where nothing lived when the pass began. */
  private regionOf(place: Ref): number {
    if (this.arenas === undefined) return this.regions.get(Math.floor(place / this.region)) ?? -1;
    const placement = this.arenas.placementOf(place);
    return placement === undefined ? -1 : (this.regions.get(placement.arena) ?? -1);
  }
}
