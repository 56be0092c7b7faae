/**
 * Packing of the blocks of a trace file as one raw deflate stream (RFC 1951), each long column a run of its own in it: a run
 * has Huffman codes made for its column alone, and one that deflate hardly shrinks, such as the refs of blocks that die at
 * random, is stored. To a reader it is one stream like any other.
 */
import { promisify } from "node:util";
import { constants, deflateRaw, type ZlibOptions } from "node:zlib";

const deflate = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);

/** Shorter columns join their neighbours: each run costs 5 bytes. */
const SHORTEST_RUN = 1024;
/** What deflate saves less than an eighth of is stored, since to inflate random digits takes as long as to decode them. */
const WORTHWHILE = 7 / 8;
/** The last block of the stream, empty: a fixed Huffman code (3.2.6) and its end. */
const END = Uint8Array.of(3, 0);

/** Packs the parts of a block, which are not needed afterwards. */
export async function packBlock(parts: readonly Uint8Array[]): Promise<Buffer> {
  return Buffer.concat([...(await Promise.all(runsOf(parts).map(packRun))), END]);
}

function runsOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const runs: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes > 0 && (bytes >= SHORTEST_RUN || part.length >= SHORTEST_RUN)) {
      runs.push(Buffer.concat(run));
      run = [];
      bytes = 0;
    }
    run.push(part);
    bytes += part.length;
  }
  if (bytes > 0) runs.push(Buffer.concat(run));
  return runs;
}

/** Ends at a whole byte and without a last block, so that runs can follow each other. */
async function packRun(run: Uint8Array): Promise<Buffer> {
  const options = { memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH };
  const packed = await deflate(run, { ...options, level: 9 });
  return packed.length <= run.length * WORTHWHILE ? packed : deflate(run, { ...options, level: 0 });
}
