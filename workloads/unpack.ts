import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../memory/errors.js";
import { Garbage } from "./collect-buffers.js";
import { unzstd } from "./zstd.js";

const starts = (head: Uint8Array, ...magic: number[]): boolean => magic.every((byte, at) => head[at] === byte);

/**
 * What a packed file with these first bytes holds, as a stream; undefined where it is not packed. Throws an `InputError` of one
 * line for packings that cannot be read, and says what to do; the stream throws what zlib says of damaged data.
 */
export function unpacked(path: string, head: Uint8Array, chunkSize: number): AsyncIterable<Buffer> | undefined {
  if (starts(head, 0x1f, 0x8b)) return gunzip(path, chunkSize);
  if (starts(head, 0x28, 0xb5, 0x2f, 0xfd)) return zstdContent(path, chunkSize);
  const other = starts(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a)
    ? "xz"
    : starts(head, 0x42, 0x5a, 0x68)
      ? "bzip2"
      : starts(head, 0x50, 0x4b, 3, 4)
        ? "zip"
        : undefined;
  if (other === undefined) return undefined;
  throw new InputError(`${path}: packed by ${other}: expected gzip, zstd or a plain file; unpack it first`);
}

async function* zstdContent(path: string, chunkSize: number): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: chunkSize });
  try {
    yield* unzstd(path, file, chunkSize);
  } finally {
    file.destroy();
  }
}

async function* gunzip(path: string, chunkSize: number): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: chunkSize });
  // Errors of either stream reach the loop below by way of the last one.
  const content = pipeline(file, createGunzip({ chunkSize }), () => undefined);
  const garbage = new Garbage();
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      yield chunk;
      garbage.add(chunk.length);
    }
  } finally {
    file.destroy();
    content.destroy();
  }
}
