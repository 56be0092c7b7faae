import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { InputError } from "../memory/errors.js";

/** Since Node 22.15. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform };

const starts = (head: Uint8Array, ...magic: number[]): boolean => magic.every((byte, at) => head[at] === byte);

/**
 * The stream that unpacks a file with these first bytes; undefined where it is not packed. Throws an `InputError` of one
 * line for packings that cannot be read, and says what to do.
 */
export function unpackerFor(path: string, head: Uint8Array, chunkSize: number): Transform | undefined {
  if (starts(head, 0x1f, 0x8b)) return zlib.createGunzip({ chunkSize });
  if (starts(head, 0x28, 0xb5, 0x2f, 0xfd)) {
    if (createZstdDecompress !== undefined) return createZstdDecompress({ chunkSize });
    throw new InputError(
      `${path}: packed by zstd, which Node ${process.versions.node} cannot unpack: run unzstd on it first, or use Node 22.15 or newer`,
    );
  }
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
