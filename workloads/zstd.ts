/** Files packed by zstd, as a stream. */
import { pipeline, Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { InputError } from "../memory/errors.js";

/** Since Node 22.15. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };

const MAGIC = 0xfd2fb528;
/** The lowest four bits of a skippable frame's magic number are free. */
const SKIPPABLE = 0x184d2a50;
const BLOCK_HEADER = 3;
const CHECKSUM = 4;
/** Bytes of the content size and of the dictionary's number, by their flags. */
const SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
const RAW = 0;
const RUN = 1;
const RESERVED = 3;
/** No block is larger (128 KiB, and a little). */
const PIECE = 1 << 17;

/** Whether this Node can unpack zstd. */
export const canUnpackZstd = createZstdDecompress !== undefined;

/**
 * Walks the frames of a zstd file (RFC 8878, section 3.1). Node's decoder ends with the first frame, and in some versions takes
 * a cut frame for a whole one; so each frame is found here, and gets a decoder of its own.
 */
class Frames {
  private readonly path: string;
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);
  private offset = 0;

  constructor(path: string, source: AsyncIterable<Buffer>) {
    this.path = path;
    this.source = source[Symbol.asyncIterator]();
  }

  /** Moves to the next frame with data and takes its magic number; undefined at the end of the file. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (!(await this.has(1))) return undefined;
      const start = this.offset;
      const magic = await this.take(4);
      const number = magic.readUInt32LE(0);
      if (number === MAGIC) return magic;
      if ((number & ~15) >>> 0 !== SKIPPABLE)
        throw new InputError(
          `${this.path}: byte ${start}: no zstd frame begins here: expected its magic number or the end of the file`,
        );
      for (let left = (await this.take(4)).readUInt32LE(0); left > 0; left -= Math.min(left, PIECE))
        await this.take(Math.min(left, PIECE));
    }
  }

  /** The bytes of a frame behind its magic number, block by block. */
  async *pieces(magic: Buffer): AsyncGenerator<Buffer, void> {
    const descriptor = await this.take(1);
    const flags = descriptor[0];
    const single = (flags >>> 5) & 1;
    const sizes = SIZE_BYTES[flags >>> 6] || single;
    yield Buffer.concat([magic, descriptor, await this.take(1 - single + DICTIONARY_BYTES[flags & 3] + sizes)]);
    for (let last = false; !last; ) {
      const start = this.offset;
      const header = await this.take(BLOCK_HEADER);
      const word = header.readUIntLE(0, BLOCK_HEADER);
      last = (word & 1) === 1;
      const kind = (word >>> 1) & 3;
      const bytes = kind === RUN ? 1 : word >>> 3;
      if (kind === RESERVED || (kind === RAW && bytes > PIECE))
        throw new InputError(
          `${this.path}: byte ${start}: a damaged zstd block: expected one of three kinds, of at most 128 KiB`,
        );
      yield Buffer.concat([header, await this.take(bytes)]);
    }
    if ((flags & 4) !== 0) yield await this.take(CHECKSUM);
  }

  private async has(bytes: number): Promise<boolean> {
    while (this.rest.length < bytes) {
      const { done, value } = await this.source.next();
      if (done) return false;
      this.rest = Buffer.concat([this.rest, value]);
    }
    return true;
  }

  private async take(bytes: number): Promise<Buffer> {
    if (!(await this.has(bytes)))
      throw new InputError(
        `${this.path}: byte ${this.offset + this.rest.length}: the zstd data end too early: expected the rest of a frame; the file is cut short: copy or record it again`,
      );
    const taken = Buffer.from(this.rest.subarray(0, bytes));
    this.rest = this.rest.subarray(bytes);
    this.offset += bytes;
    return taken;
  }
}

/**
 * What a zstd file holds: all its frames, one after the other. Throws an `InputError` of one line, with the byte, where a
 * frame is cut or something else stands between frames; what the decoder finds within a block is thrown as it says it.
 */
export async function* unzstd(
  path: string,
  source: AsyncIterable<Buffer>,
  chunkSize: number,
): AsyncGenerator<Buffer, void> {
  if (createZstdDecompress === undefined)
    throw new InputError(
      `${path}: packed by zstd, which Node ${process.versions.node} cannot unpack: run unzstd on it first, or use Node 22.15 or newer`,
    );
  const frames = new Frames(path, source);
  for (let magic = await frames.next(); magic !== undefined; magic = await frames.next()) {
    const decoder = createZstdDecompress({ chunkSize });
    // Errors of either stream reach the loop below by way of the last one.
    pipeline(Readable.from(frames.pieces(magic), { objectMode: false }), decoder, () => undefined);
    yield* decoder as AsyncIterable<Buffer>;
  }
}
