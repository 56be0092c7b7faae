import { InputError } from "../../memory/errors.js";
import { IdTable } from "../id-table.js";
import { Op } from "../trace.js";
import { isAlignment, isLabel, TraceBuilder } from "../trace-builder.js";
import { FindingCounter, StaleFindings } from "./findings.js";
import type { PositionUnit, ReadResult, ReadSource } from "./reader.js";

const MAX_ALIGNMENT = 524288;
/** Bytes of a request: fewer than in most formats. */
const USUAL_REQUEST = 8;

/**
 * What a program asked, as a foreign trace tells it by addresses, made into events by rules that all such readers share:
 * a call that failed, a free of NULL or of an address never seen are dropped; a reallocation of an address never seen is an
 * allocation; where an address is returned that is still live, the earlier block was freed unseen, so it is freed first;
 * a reallocation to 0 bytes that returns NULL is a free. Each departure is counted with its position.
 *
 * Where stale uses are kept, an address names the block that was freed there until it is given out again; what a
 * reallocation of a freed block returns names that block too, for with a handle it stays gone.
 */
export class Requests {
  /** Place of what is being read, in `unit`s. */
  position = 0;
  unit: PositionUnit;
  readonly assumed: FindingCounter;
  readonly ignored: FindingCounter;
  private readonly dropped: FindingCounter;
  private readonly altered: FindingCounter;
  private readonly stale = new StaleFindings();
  private readonly notes: string[] = [];
  private readonly source: ReadSource;
  private readonly keepsStale: boolean;
  private readonly builder: TraceBuilder;
  private readonly ids = new IdTable();
  private readonly threads = new Map<number, number>();
  private readonly parts = new Map<number, number>();
  private part: number | undefined;
  /** Whether the heap that is read was asked for, and the thread that asked last. */
  private hasOwn = false;
  private lastThread: number | undefined;

  constructor(source: ReadSource, unit: PositionUnit = "line") {
    this.source = source;
    this.unit = unit;
    this.part = source.part;
    this.keepsStale = source.keepStale ?? false;
    this.builder = new TraceBuilder(source.name, (source.bytes ?? 0) / USUAL_REQUEST, this.keepsStale);
    this.assumed = new FindingCounter("assumed", source);
    this.ignored = new FindingCounter("ignored", source);
    this.dropped = new FindingCounter("dropped", source);
    this.altered = new FindingCounter("altered", source);
  }

  /** Events so far. */
  get events(): number {
    return this.builder.length;
  }

  /**
   * Whether what follows belongs to the heap that is read; the first that asks is, unless the source names one. To be asked
   * for each request of a format whose files may hold several heaps.
   */
  accepts(part: number): boolean {
    if (this.hasOwn && part === this.part) return true;
    this.part ??= part;
    this.parts.set(part, (this.parts.get(part) ?? 0) + 1);
    if (part === this.part) {
      this.hasOwn = true;
      return true;
    }
    this.ignored.add("otherPart", this.position);
    return false;
  }

  /** What follows is by this thread. Threads are numbered from 0 as they appear: a trace begins in thread 0. */
  thread(id: number): void {
    if (id === this.lastThread) return;
    this.lastThread = id;
    let number = this.threads.get(id);
    if (number === undefined) {
      number = this.threads.size;
      this.threads.set(id, number);
    }
    this.builder.thread(number);
  }

  /** The number of an allocation site, outermost caller first; 0 for an unnamed one. */
  site(name: string): number {
    const label = name.replaceAll(/[\r\n\p{Surrogate}]/gu, " ").trim();
    return isLabel(label) ? this.builder.site(label) : 0;
  }

  phase(label: string): void {
    this.builder.phase(label);
  }

  allocate(address: number, size: number, alignment = 0, site = 0): void {
    if (address === 0) this.dropped.add("failedCall", this.position);
    else if (this.isSound(address, size)) {
      this.endUnseen(address);
      this.ids.set(address, this.builder.allocate(size, this.alignmentFor(alignment), site));
    }
  }

  free(address: number): void {
    if (address === 0) this.dropped.add("freeNull", this.position);
    else this.release(this.detach(address), address);
  }

  /** `old` and `address` may be equal, or 0 for NULL. */
  reallocate(old: number, address: number, size: number, site = 0): void {
    if (old === 0) this.allocate(address, size, 0, site);
    else if (address === 0 && size === 0) this.free(old);
    else if (address === 0) this.dropped.add("failedCall", this.position);
    else if (this.isSound(address, size)) this.resize(this.detach(old), address, size, site);
  }

  /**
   * Ends a reallocation that began with `detach`, whose answer is `slot`: the block is at `address` with a new size.
   * With a negative slot an allocation.
   */
  resize(slot: number, address: number, size: number, site = 0): void {
    this.endUnseen(address);
    if (slot >= 0) {
      if (this.builder.isLive(slot)) this.builder.reallocate(slot, size, site);
      else this.keep(Op.reallocate, slot, size);
      this.ids.set(address, slot);
    } else {
      this.altered.add("reallocateOfUnknown", this.position);
      this.ids.set(address, this.builder.allocate(size, 0, site));
    }
  }

  /** Forgets where a block is, which stays live (or, where stale uses are kept, freed); its slot, or -1 where there is none. */
  detach(address: number): number {
    return this.ids.take(address);
  }

  /** Says again where a detached block is. */
  attach(slot: number, address: number): void {
    if (slot < 0) return;
    if (!this.builder.isLive(slot)) {
      this.remember(slot, address);
      return;
    }
    this.endUnseen(address);
    this.ids.set(address, slot);
  }

  /** The program frees a block that was detached from `address`. */
  release(slot: number, address: number): void {
    if (slot < 0) {
      this.dropped.add("unknownFree", this.position);
      return;
    }
    if (this.builder.isLive(slot)) this.builder.free(slot);
    else this.keep(Op.free, slot, 0);
    if (this.keepsStale) this.remember(slot, address);
  }

  /** Frees what is live at an address, though the program did not say so. Whether something was. */
  vacate(address: number): boolean {
    const slot = this.detach(address);
    if (slot < 0 || !this.builder.isLive(slot)) return false;
    this.builder.free(slot);
    return true;
  }

  /** A request that is not in the trace. */
  drop(kind: string): void {
    this.dropped.add(kind, this.position);
  }

  /** A request that became another one. */
  alter(kind: string): void {
    this.altered.add(kind, this.position);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** What is here cannot be right: an `InputError` that names the place, or with `lenient` one more dropped request. */
  reject(got: string, expected: string, kind = "malformed"): void {
    const { file, lenient } = this.source;
    if (!lenient) {
      const place = this.unit === "line" ? `${file}:${this.position}` : `${file}: ${this.unit} ${this.position}`;
      const shown = got.length > 80 ? `${got.slice(0, 80)}…` : got;
      throw new InputError(
        `${place}: ${JSON.stringify(shown)}: expected ${expected}; mend the file, or read with --lenient to drop such requests`,
      );
    }
    this.dropped.add(kind, this.position);
  }

  /** A part that was asked for must be there. */
  private checkPart(): void {
    const { part, file } = this.source;
    if (part === undefined || this.parts.has(part)) return;
    const held = [...this.parts.keys()].slice(0, 8).join(", ");
    throw new InputError(`${file}: has no part ${part}: it holds ${held === "" ? "none" : held}`);
  }

  result(format: string): ReadResult {
    this.checkPart();
    const trace = this.builder.build();
    if (this.parts.size > 1) {
      const others = [...this.parts].filter(([part]) => part !== this.part);
      const list = others.slice(0, 8).map(([part, count]) => `${part} (${count})`);
      this.note(
        `requests of other parts: ${list.join(", ")}${others.length > 8 ? ", ..." : ""}; choose one with --part`,
      );
    }
    const report = {
      format,
      lines: this.unit === "line" ? this.position : 0,
      unit: this.unit,
      events: trace.length,
      dropped: this.dropped.findings(),
      altered: this.altered.findings(),
      assumed: this.assumed.findings(),
      ignored: this.ignored.findings(),
      notes: [...this.notes, ...this.stale.notes(this.unit)],
    };
    return { trace, report };
  }

  private isSound(address: number, size: number): boolean {
    if (Number.isSafeInteger(size) && size >= 0 && Number.isSafeInteger(address)) return true;
    this.reject(`size ${size} at address ${address}`, "a size from 0 to 9007199254740991 and an address");
    return false;
  }

  private endUnseen(address: number): void {
    if (this.vacate(address)) this.altered.add("reusedLiveAddress", this.position);
  }

  /** An address still names the freed block that was detached from it, unless another thread has been given it since. */
  private remember(slot: number, address: number): void {
    if (this.ids.find(address) < 0) this.ids.set(address, slot);
  }

  /** The program uses a freed block. */
  private keep(op: Op, slot: number, size: number): void {
    this.stale.add(this.position);
    this.builder.stale(op, slot, size);
  }

  private alignmentFor(alignment: number): number {
    if (isAlignment(alignment)) return alignment;
    this.altered.add(alignment > MAX_ALIGNMENT ? "hugeAlignment" : "roundedAlignment", this.position);
    let power = 16;
    while (power < alignment && power < MAX_ALIGNMENT) power *= 2;
    return power;
  }
}
