/** Checks an allocator's account of its memory against the address space and against the program's view. */
import type { AddressSpace, Use } from "../memory/address-space.js";
import { Use as Uses } from "../memory/address-space.js";
import { HeapError } from "../memory/errors.js";
import { HeapMap, Kind } from "../memory/heap-map.js";
import type { Allocator, Ref } from "./allocator.js";

/** What the program believes to be live: pairs of ref and bytes last asked for. */
export type Live = Iterable<readonly [Ref, number]>;

interface Piece {
  start: number;
  end: number;
  kind: Kind;
}

function useOf(kind: Kind): Use {
  return kind === Kind.meta ? Uses.meta : kind === Kind.table ? Uses.table : Uses.heap;
}

/** The pieces must tile the mapped regions: no gap, no overlap, nothing outside, the kind fits the use. */
function checkTiling(map: HeapMap, space: AddressSpace): void {
  const pieces: Piece[] = Array.from({ length: map.length }, (_, i) => ({
    start: map.start[i],
    end: map.start[i] + map.bytes[i],
    kind: map.kind[i] as Kind,
  })).filter((piece) => piece.end > piece.start);
  pieces.sort((a, b) => a.start - b.start);
  let next = 0;
  space.regions((start, bytes, use) => {
    let at = start;
    while (at < start + bytes) {
      const piece = pieces[next++];
      if (piece === undefined || piece.start > at) {
        throw new HeapError("walk-gap", `walk says nothing about [${at}, ${piece?.start ?? start + bytes})`);
      }
      if (piece.start < at) throw new HeapError("walk-overlap", `walk has two pieces at ${piece.start}`);
      if (useOf(piece.kind) !== use) {
        throw new HeapError(
          "walk-mismatch",
          `walk gives kind ${piece.kind} to [${piece.start}, ${piece.end}) of use ${use}`,
        );
      }
      at = piece.end;
    }
    if (at > start + bytes)
      throw new HeapError("unmapped", `walk goes beyond the mapped region that ends at ${start + bytes}`);
  });
  const extra = pieces[next];
  if (extra !== undefined) throw new HeapError("unmapped", `walk has a piece at ${extra.start}, which is not mapped`);
}

/** Whether every page of a range has a frame, its own or one that it shares. */
export function isBacked(space: AddressSpace, at: number, bytes: number): boolean {
  if (space.footprintOf(at, bytes) === bytes) return true;
  for (let from = at; from < at + bytes; ) {
    const end = Math.min(at + bytes, from - (from % space.pageSize) + space.pageSize);
    if (space.footprintOf(space.frameOf(from), end - from) !== end - from) return false;
    from = end;
  }
  return true;
}

/** Where pages share frames, live blocks must not lie on the same bytes of one. */
function checkFrames(map: HeapMap, space: AddressSpace): void {
  const parts: { start: number; end: number; ref: number }[] = [];
  let shared = false;
  for (let i = 0; i < map.length; i++) {
    if (map.kind[i] !== Kind.live) continue;
    const end = map.start[i] + map.bytes[i];
    for (let at = map.start[i]; at < end; at += space.pageSize - (at % space.pageSize)) {
      const start = space.frameOf(at);
      const length = Math.min(end - at, space.pageSize - (at % space.pageSize));
      if (start !== at) shared = true;
      parts.push({ start, end: start + length, ref: map.owner[i] });
    }
  }
  if (!shared) return;
  parts.sort((a, b) => a.start - b.start);
  for (let i = 1; i < parts.length; i++) {
    const { end, ref } = parts[i - 1];
    if (parts[i].start < end) throw new HeapError("overlap", `shares bytes of a frame with block ${parts[i].ref}`, ref);
  }
}

/** Each live block must be one piece at its address over its capacity, with its payload resident. */
function checkBlocks(map: HeapMap, allocator: Allocator, space: AddressSpace, live: Live): void {
  const pieces = new Map<number, number>();
  for (let i = 0; i < map.length; i++) {
    if (map.kind[i] !== Kind.live) continue;
    if (pieces.has(map.owner[i])) throw new HeapError("walk-overlap", "walk shows a block twice", map.owner[i]);
    pieces.set(map.owner[i], i);
  }
  let count = 0;
  for (const [ref, size] of live) {
    const i = pieces.get(ref);
    if (i === undefined) throw new HeapError("walk-mismatch", "walk does not show a live block", ref);
    const at = allocator.addressOf(ref);
    const capacity = allocator.capacityOf(ref);
    if (map.start[i] !== at || map.bytes[i] !== capacity) {
      throw new HeapError(
        "walk-mismatch",
        `walk shows [${map.start[i]}, +${map.bytes[i]}) for a block at [${at}, +${capacity})`,
        ref,
      );
    }
    if (capacity < size) throw new HeapError("too-small", `capacity ${capacity} for ${size} bytes`, ref);
    if (!isBacked(space, at, size)) throw new HeapError("not-resident", `payload at ${at} lacks pages`, ref);
    count++;
  }
  if (count !== pieces.size)
    throw new HeapError("walk-mismatch", `walk shows ${pieces.size} live blocks, the program has ${count}`);
}

/**
 * Throws a `HeapError` unless the walk tiles the mapped bytes and shows exactly the live blocks, where they are, at
 * their capacity. With `placeless` only the total of live bytes is compared. Returns the map it walked.
 */
export function audit(allocator: Allocator, space: AddressSpace, live: Live, placeless = false): HeapMap {
  const map = new HeapMap();
  allocator.walk(map);
  checkTiling(map, space);
  if (placeless) {
    let asked = 0;
    for (const [, size] of live) asked += size;
    const shown = map.totals()[Kind.live];
    if (shown !== asked)
      throw new HeapError("walk-mismatch", `walk shows ${shown} live bytes, the program has ${asked}`);
  } else {
    checkBlocks(map, allocator, space, live);
    checkFrames(map, space);
  }
  return map;
}
