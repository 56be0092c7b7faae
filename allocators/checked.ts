/**
 * `checked(spec)`: the same allocator with real bytes. Every block gets a pattern of its own in a shadow buffer, verified
 * when it is freed, reallocated, or may have moved, so an overlap, a lost move or a free of the wrong block is caught
 * where it happens. For tests and for `fraglab replay --checked`; about 100 times slower.
 */
import type { Address, AddressSpace } from "../memory/address-space.js";
import { Cost } from "../memory/costs.js";
import { HeapError } from "../memory/errors.js";
import type { HeapMap } from "../memory/heap-map.js";
import { ShadowMemory } from "../memory/shadow.js";
import {
  type Allocator,
  type AllocatorSpec,
  type ArenaPlacement,
  type Compacting,
  hasArenas,
  isCompacting,
  isPhaseAware,
  isReorganizing,
  isTimed,
  type MoveLog,
  none,
  type PhaseAware,
  type Ref,
  type Reorganizing,
  type Timed,
} from "./allocator.js";
import { audit, isBacked, type Live } from "./audit.js";
import { Owners } from "./owners.js";

interface Block {
  /** Names the pattern; never reused, so contents of two blocks always differ. */
  readonly tag: number;
  size: number;
  address: Address;
  pins: number;
  /** Freed while pinned: dead for the program, but its place is taken until the last unpin. */
  dead: boolean;
}

/** Largest granule of the owner map: finer where an allocator aligns to less. */
const GRANULE = 8;

/** What is asked of an allocator. */
interface Checks {
  readonly alignment: number;
  readonly placeless: boolean;
  readonly usesStale: boolean;
}

/** An allocator with real bytes behind it. */
export interface Checked extends Allocator {
  /** Audits the heap against what the program holds. */
  audit(): HeapMap;
  /** Verifies the contents of every live block. */
  verify(): void;
}

class CheckedAllocator implements Checked {
  protected readonly inner: Allocator;
  protected readonly space: AddressSpace;
  protected readonly shadow = new ShadowMemory();
  protected readonly owners: Owners;
  protected readonly blocks = new Map<Ref, Block>();
  private readonly alignment: number;
  private readonly placeless: boolean;
  private readonly usesStale: boolean;
  private nextTag = 1;

  constructor(inner: Allocator, space: AddressSpace, { alignment, placeless, usesStale }: Checks) {
    this.usesStale = usesStale;
    this.inner = inner;
    this.space = space;
    this.owners = new Owners(Math.min(GRANULE, alignment));
    this.alignment = alignment;
    this.placeless = placeless;
  }

  allocate(size: number, alignment?: number): Ref {
    const ref = alignment === undefined ? this.inner.allocate(size) : this.inner.allocate(size, alignment);
    if (ref === none) return none;
    if (this.blocks.has(ref)) throw new HeapError("overlap", "allocate returned a ref that is live", ref);
    const address = this.checkPlace(ref, size, Math.max(this.alignment, alignment ?? 1));
    const block: Block = { tag: this.nextTag++, size, address, pins: 0, dead: false };
    this.claim(ref, address, size, 0, block.tag);
    this.shadow.fill(address, size, block.tag);
    this.blocks.set(ref, block);
    return ref;
  }

  free(ref: Ref): void {
    if (this.isStale(ref)) {
      this.refused(ref, 1, () => this.inner.free(ref));
      return;
    }
    const block = this.blockOf(ref, "free");
    this.verifyBlock(ref, block);
    if (block.pins > 0) block.dead = true;
    else this.forget(ref, block);
    this.inner.free(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (this.isStale(ref)) return this.refused(ref, 1, () => this.inner.reallocate(ref, size));
    const block = this.blockOf(ref, "reallocate");
    this.verifyBlock(ref, block);
    const moved = this.inner.reallocate(ref, size);
    if (moved === none) {
      this.verifyBlock(ref, block);
      return none;
    }
    // A block that moves within its own bounds is a memmove; a place taken from another block is an overlap.
    const kept = Math.min(size, block.size);
    const address = this.checkPlace(moved, size, this.alignment);
    this.shadow.copy(block.address, address, kept);
    this.claim(ref, block.address, block.size, block.tag, 0);
    this.blocks.delete(ref);
    this.claim(moved, address, size, 0, block.tag);
    const wrong = this.shadow.check(address, kept, block.tag);
    if (wrong >= 0) throw new HeapError("corrupted-contents", `reallocate lost the byte at offset ${wrong}`, moved);
    this.shadow.fill(address + kept, size - kept, block.tag, kept);
    this.blocks.set(moved, { ...block, size, address });
    return moved;
  }

  addressOf(ref: Ref): Address {
    if (this.isStale(ref)) return this.refused(ref, 1, () => this.inner.addressOf(ref));
    const block = this.blockOf(ref, "addressOf");
    const address = this.inner.addressOf(ref);
    if (address !== block.address) {
      throw new HeapError("moved-outside-compact", `block moved from ${block.address} to ${address}`, ref);
    }
    return address;
  }

  capacityOf(ref: Ref): number {
    this.blockOf(ref, "capacityOf");
    return this.inner.capacityOf(ref);
  }

  walk(map: HeapMap): void {
    this.inner.walk(map);
  }

  verify(): void {
    for (const [ref, block] of this.blocks) if (!block.dead) this.verifyBlock(ref, block);
  }

  audit(): HeapMap {
    this.verify();
    const loads = this.space.costs[Cost.tableLoads];
    const map = audit(this.inner, this.space, this.live(), this.placeless);
    this.space.costs[Cost.tableLoads] = loads;
    return map;
  }

  protected *live(): Live {
    for (const [ref, block] of this.blocks) if (!block.dead) yield [ref, block.size] as const;
  }

  protected blockOf(ref: Ref, doing: string): Block {
    const block = this.blocks.get(ref);
    if (block !== undefined && !block.dead) return block;
    const fault = doing === "free" ? "double-free" : "stale-reference";
    throw new HeapError(fault, `${doing} of a ref that is not live`, ref);
  }

  /** Whether a program that may do so uses a block that is gone. */
  protected isStale(ref: Ref): boolean {
    return this.usesStale && (this.blocks.get(ref)?.dead ?? true);
  }

  /** So many uses of a block that is gone must be counted, and answered with nothing. */
  protected refused<Answer>(ref: Ref, uses: number, use: () => Answer): Answer {
    const { costs } = this.space;
    const before = costs[Cost.staleHandles];
    const answer = use();
    const counted = costs[Cost.staleHandles] - before;
    if (counted !== uses || answer)
      throw new HeapError("stale-reference", `${counted} of ${uses} uses of a freed block counted`, ref);
    return answer;
  }

  protected forget(ref: Ref, block: Block): void {
    this.claim(ref, block.address, block.size, block.tag, 0);
    this.shadow.clear(block.address, block.size);
    this.blocks.delete(ref);
  }

  protected claim(ref: Ref, at: Address, bytes: number, expected: number, tag: number): void {
    const other = this.owners.claim(at, bytes, expected, tag);
    if (other >= 0) throw new HeapError("overlap", `[${at}, +${bytes}) is shared with block number ${other}`, ref);
  }

  protected verifyBlock(ref: Ref, block: Block): void {
    const address = this.lookUp(ref);
    if (address !== block.address) {
      throw new HeapError("moved-outside-compact", `block moved from ${block.address} to ${address}`, ref);
    }
    const wrong = this.shadow.check(address, block.size, block.tag);
    if (wrong >= 0) throw new HeapError("corrupted-contents", `byte at offset ${wrong} was overwritten`, ref);
  }

  /** The address, without charging the program for a load that only the check makes. */
  protected lookUp(ref: Ref): Address {
    const { costs } = this.space;
    const loads = costs[Cost.tableLoads];
    const address = this.inner.addressOf(ref);
    costs[Cost.tableLoads] = loads;
    return address;
  }

  private checkPlace(ref: Ref, size: number, alignment: number): Address {
    const address = this.lookUp(ref);
    if (!Number.isSafeInteger(address) || address <= 0) throw new HeapError("unmapped", `address ${address}`, ref);
    if (address % alignment !== 0) throw new HeapError("misaligned", `address ${address}, alignment ${alignment}`, ref);
    const capacity = this.inner.capacityOf(ref);
    if (capacity < size) throw new HeapError("too-small", `capacity ${capacity} for ${size} bytes`, ref);
    if (!this.placeless && !isBacked(this.space, address, size)) {
      throw new HeapError("not-resident", `payload at ${address} lacks pages`, ref);
    }
    return address;
  }
}

class CheckedReorganizing extends CheckedAllocator implements Reorganizing {
  private readonly mover: Reorganizing;

  constructor(inner: Reorganizing, space: AddressSpace, checks: Checks) {
    super(inner, space, checks);
    this.mover = inner;
  }

  compact(budget: number, log: MoveLog): number {
    const moved = new Map<Ref, Address>();
    const bytes = this.mover.compact(budget, {
      move: (ref, from, to, length) => {
        this.shadow.copy(from, to, length);
        moved.set(ref, to);
        log.move(ref, from, to, length);
      },
    });
    // All places are given up before any is taken: a block may slide into the place of the next.
    for (const ref of moved.keys()) {
      const block = this.blocks.get(ref);
      if (block === undefined) throw new HeapError("stale-reference", "compact moved a block that is not live", ref);
      if (block.pins > 0) throw new HeapError("moved-while-pinned", "compact moved a pinned block", ref);
      this.claim(ref, block.address, block.size, block.tag, 0);
      block.address = this.lookUp(ref);
    }
    for (const [ref, to] of moved) {
      const block = this.blocks.get(ref);
      if (block === undefined) continue;
      if (to !== block.address)
        throw new HeapError("structure", `logged a move to ${to}, block is at ${block.address}`, ref);
      this.claim(ref, block.address, block.size, 0, block.tag);
    }
    this.verify();
    return bytes;
  }

  compactionDue(now: number): number {
    return this.mover.compactionDue(now);
  }
}

class CheckedCompacting extends CheckedReorganizing implements Compacting {
  private readonly pinner: Compacting;

  constructor(inner: Compacting, space: AddressSpace, checks: Checks) {
    super(inner, space, checks);
    this.pinner = inner;
  }

  pin(ref: Ref): void {
    if (this.isStale(ref)) {
      this.refused(ref, 1, () => this.pinner.pin(ref));
      return;
    }
    this.blockOf(ref, "pin").pins++;
    this.pinner.pin(ref);
  }

  access(ref: Ref, times: number): void {
    if (this.isStale(ref)) {
      this.refused(ref, times, () => this.pinner.access(ref, times));
      return;
    }
    this.blockOf(ref, "access");
    this.pinner.access(ref, times);
  }

  unpin(ref: Ref): void {
    const block = this.blocks.get(ref);
    if (block === undefined && this.isStale(ref)) {
      this.refused(ref, 1, () => this.pinner.unpin(ref));
      return;
    }
    if (block === undefined || block.pins === 0)
      throw new HeapError("stale-reference", "unpin of a ref that is not pinned", ref);
    block.pins--;
    if (block.dead && block.pins === 0) this.forget(ref, block);
    this.pinner.unpin(ref);
  }
}

/**
 * The inner allocator as a checked one, with exactly the capabilities it has. `usesStale`: the program may use blocks that it
 * has freed, which the allocator must count and otherwise ignore; else such a use is a `HeapError`.
 */
export function check(
  spec: Pick<AllocatorSpec, "alignment" | "placeless">,
  inner: Allocator,
  space: AddressSpace,
  usesStale = false,
): Checked {
  const checks: Checks = { alignment: spec.alignment, placeless: spec.placeless ?? false, usesStale };
  const wrapped = isCompacting(inner)
    ? new CheckedCompacting(inner, space, checks)
    : isReorganizing(inner)
      ? new CheckedReorganizing(inner, space, checks)
      : new CheckedAllocator(inner, space, checks);
  const arenas: Partial<ArenaPlacement> = hasArenas(inner) ? { placementOf: (ref) => inner.placementOf(ref) } : {};
  const clock: Partial<Timed> = isTimed(inner) ? { tick: (now) => inner.tick(now) } : {};
  const aware: Partial<PhaseAware> = isPhaseAware(inner) ? { phase: (mark) => inner.phase(mark) } : {};
  return Object.assign(wrapped, arenas, clock, aware);
}

/** A layer over a spec: same name and options, and every operation verified. */
export function checked<Options>(spec: AllocatorSpec<Options>): AllocatorSpec<Options> {
  return { ...spec, create: (space, options) => check(spec, spec.create(space, options), space) };
}
