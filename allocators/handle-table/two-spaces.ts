import type { AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { unitsFor } from "./backing-heap.js";
import { END } from "./free-blocks.js";
import type { Compactor } from "./handle-heap.js";
import { UNIT } from "./heap-pages.js";
import type { Pins } from "./pins.js";
import type { Chooser, TwoHeapHandles } from "./two-heap-handles.js";

/**
 * Evacuation from one space into the other, as in Anchorage (Alaska, tag asplos-24-revision, section 4). New blocks go to
 * the to-space. When compaction begins the spaces change places; each pass walks the from-space from its top downwards,
 * allocates each block that is not pinned in the to-space, copies it and frees the old one, so that the from-space's
 * top falls. Pages are given back in the from-space alone: its tail, and its holes when the budget was not used up.
 *
 * `payloadOnly`: the budget counts payloads, while what a pass says it moved counts headers too, as in Anchorage, so
 * that a pass may seem to have overshot.
 */
export class TwoSpaces implements Compactor, Chooser {
  private readonly handles: TwoHeapHandles;
  private readonly costs: Costs;
  private readonly pins: Pins;
  private readonly trim: boolean;
  private readonly payloadOnly: boolean;
  private to: 0 | 1 = 0;

  constructor(space: AddressSpace, handles: TwoHeapHandles, pins: Pins, trim: boolean, payloadOnly: boolean) {
    this.handles = handles;
    this.costs = space.costs;
    this.pins = pins;
    this.trim = trim;
    this.payloadOnly = payloadOnly;
    handles.chooser = this;
  }

  choose(): 0 | 1 {
    return this.to;
  }

  restart(): void {
    this.to = this.to === 0 ? 1 : 0;
  }

  pass(budget: number, log: MoveLog): number {
    const { handles, costs } = this;
    const from = handles.heaps[1 - this.to];
    const { blocks } = from;
    let spent = 0;
    let moved = 0;
    let end = blocks.top;
    while (end > 0 && spent < budget) {
      const block = end - Math.abs(blocks.beforeAt(end));
      // A block that goes merges with free neighbours, so what lies in front is looked at first.
      const before = blocks.beforeAt(block);
      costs[Cost.blocksVisited] += 1;
      if (!blocks.isFree(block) && !this.pins.hold(blocks.ownerAt(block))) {
        const bytes = this.move(block, log);
        if (bytes < 0) break;
        moved += bytes;
        spent += this.payloadOnly ? bytes - UNIT : bytes;
      }
      end = Math.min(before < 0 ? block + before : block, blocks.top);
    }
    if (!from.reuses && from.liveUnits === 0) from.clear();
    handles.releases[1 - this.to] = [true, spent < budget];
    handles.releases[this.to] = [false, false];
    return moved;
  }

  /** Moves a block to the other space. Returns the bytes copied, or -1 without memory. */
  private move(block: number, log: MoveLog): number {
    const { handles, costs } = this;
    const { entries, heaps } = handles;
    const from = heaps[1 - this.to];
    const target = heaps[this.to];
    const owner = from.blocks.ownerAt(block);
    const asked = entries.askedOf(owner);
    const code = entries.codeOf(owner);
    const units = entries.unitsOf(owner);
    const payload = ((this.trim ? unitsFor(asked) : units) - 1) * UNIT;
    const place = code === 0 ? target.place(payload) : target.placeAligned(payload, code);
    if (place === END) return -1;
    // The heap took the whole payload for what the program had asked for.
    target.asked += asked - payload;
    log.move(entries.refOf(owner), from.addressOf(block), target.addressOf(place), payload);
    handles.own(owner, this.to, place, asked);
    from.release(block, units, asked);
    costs[Cost.moves] += 1;
    costs[Cost.bytesMoved] += payload + UNIT;
    return payload + UNIT;
  }
}
