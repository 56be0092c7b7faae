/**
 * The form in which traces and results of the real CPython allocator are kept in `golden/`. A trace is four columns of
 * bytes; results are digests. `scripts/make-pymalloc-golden.ts` writes them, the oracle test reads them.
 */

/** What an operation of a golden trace does. `grow` is realloc of a live block, `adopt` realloc of none, a malloc. */
export const GoldenOp = { malloc: 0, free: 1, grow: 2, adopt: 3, statistics: 4, dump: 5 } as const;

/** Blocks are numbered from 1 in order of creation; numbers are never reused. */
export interface GoldenTrace {
  /** Number of operations. */
  readonly length: number;
  readonly op: Uint8Array;
  /** Block of each operation, 0 for statistics and dump. */
  readonly block: Int32Array;
  readonly size: Int32Array;
}

/** Results of one trace under one variant and base. Digests are 32-bit, see `Fnv`. */
export interface GoldenResult {
  /** Arenas ever made. */
  arenas: number;
  /** Digest of all placements. */
  digest: string;
  /** Digests after every 1000 placements and at the end: little-endian words in base64. Not for every result. */
  digests?: string;
  /** Digest of the list of arena events. Not for every result. */
  events?: string;
  /** One digest for each operation `statistics`. */
  statistics: string[];
  /** One digest for each operation `dump`. Not for every result. */
  dumps?: string[];
  /** Digest of what became of each reallocation, one letter each: see `fateOf`. Not for every result. */
  fates?: string;
}

/** By trace name and "variant/base": the text of each operation `statistics` that is recorded, the last ones. */
export type GoldenTexts = Record<string, Record<string, string[]>>;

/** By trace name; results by "variant/base". */
export type GoldenFile = Record<string, { rows: number; results: Record<string, GoldenResult> }>;

/** FNV-1a, 32 bits. */
export class Fnv {
  private hash = 0x811c9dc5;

  /** Adds the four bytes of a word, lowest first. */
  word(word: number): void {
    let hash = Math.imul(this.hash ^ (word & 255), 16777619);
    hash = Math.imul(hash ^ ((word >>> 8) & 255), 16777619);
    hash = Math.imul(hash ^ ((word >>> 16) & 255), 16777619);
    this.hash = Math.imul(hash ^ (word >>> 24), 16777619);
  }

  get value(): number {
    return this.hash >>> 0;
  }
}

/** Eight hex digits. */
export function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/** Digest of plain data; the order of keys counts. */
export function digestOf(data: unknown): string {
  const fnv = new Fnv();
  for (const character of JSON.stringify(data)) fnv.word(character.charCodeAt(0));
  return hex(fnv.value);
}

class ByteColumn {
  readonly bytes: number[] = [];

  /** LEB128. */
  add(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.bytes.push((rest & 127) | 128);
    this.bytes.push(rest);
  }

  addSigned(value: number): void {
    this.add(value < 0 ? -2 * value - 1 : 2 * value);
  }
}

/** The bytes of a trace: lengths, then the columns of operations, sizes, and blocks as differences. New blocks are implied. */
export function encodeTrace(trace: GoldenTrace): Uint8Array {
  const sizes = new ByteColumn();
  const blocks = new ByteColumn();
  let previous = 0;
  for (let i = 0; i < trace.length; i++) {
    const op = trace.op[i];
    if (op === GoldenOp.malloc || op === GoldenOp.grow || op === GoldenOp.adopt) sizes.add(trace.size[i]);
    if (op === GoldenOp.free || op === GoldenOp.grow) {
      blocks.addSigned(trace.block[i] - previous);
      previous = trace.block[i];
    }
  }
  const lengths = new ByteColumn();
  lengths.add(trace.length);
  lengths.add(sizes.bytes.length);
  return Uint8Array.from([...lengths.bytes, ...trace.op, ...sizes.bytes, ...blocks.bytes]);
}

class ByteReader {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get position(): number {
    return this.at;
  }

  next(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  nextSigned(): number {
    const value = this.next();
    return (value & 1) === 0 ? value >>> 1 : -((value + 1) >>> 1);
  }
}

/** The inverse of `encodeTrace`. */
export function decodeTrace(bytes: Uint8Array): GoldenTrace {
  const lengths = new ByteReader(bytes, 0);
  const length = lengths.next();
  const sizeBytes = lengths.next();
  const start = lengths.position;
  const op = bytes.slice(start, start + length);
  const sizes = new ByteReader(bytes, start + length);
  const blocks = new ByteReader(bytes, start + length + sizeBytes);
  const block = new Int32Array(length);
  const size = new Int32Array(length);
  let made = 0;
  let previous = 0;
  for (let i = 0; i < length; i++) {
    const code = op[i];
    if (code === GoldenOp.malloc || code === GoldenOp.grow || code === GoldenOp.adopt) size[i] = sizes.next();
    if (code === GoldenOp.malloc || code === GoldenOp.adopt) block[i] = ++made;
    if (code === GoldenOp.free || code === GoldenOp.grow) {
      previous += blocks.nextSigned();
      block[i] = previous;
    }
  }
  return { length, op, block, size };
}

/** Numbers of the statistics in the order in which they are digested; null where a variant lacks one. */
export const statisticNames = [
  "allocatedBlocks",
  "arenasAllocatedTotal",
  "arenasReclaimed",
  "arenasHighwater",
  "arenasCurrent",
  "bytesArenas",
  "bytesAllocated",
  "bytesAvailable",
  "unusedPools",
  "bytesUnusedPools",
  "bytesPoolHeaders",
  "bytesQuantization",
  "bytesArenaAlignment",
  "total",
  "mapMidNodes",
  "mapBotNodes",
  "bytesMapRoot",
  "bytesMapMid",
  "bytesMapBot",
  "mapTotal",
] as const;

/** Digest of statistics: rows [class, size, pools, blocks in use, available blocks], then the numbers by name. */
export function statisticsDigest(classes: readonly number[][], numbers: Readonly<Record<string, unknown>>): string {
  return digestOf([classes, statisticNames.map((name) => numbers[name] ?? null)]);
}
