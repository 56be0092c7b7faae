import { InputError } from "../../memory/errors.js";

/** More than any file that a reader must see whole. */
const MAX_BYTES = 0x7fffffff;

/** Collects a file that can only be read as a whole. */
export class ByteChunks {
  private readonly file: string;
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  constructor(file: string) {
    this.file = file;
  }

  push(bytes: Uint8Array): void {
    this.length += bytes.length;
    if (this.length > MAX_BYTES) {
      throw new InputError(
        `${this.file}: over ${MAX_BYTES} bytes: expected a file of this format to be smaller; record a shorter run`,
      );
    }
    this.chunks.push(Buffer.from(bytes));
  }

  /** All bytes so far, in one piece; starts afresh. */
  take(): Buffer {
    const all = this.chunks.length === 1 ? Buffer.from(this.chunks[0] ?? []) : Buffer.concat(this.chunks, this.length);
    this.chunks.length = 0;
    this.length = 0;
    return all;
  }
}
