import { ByteChunks } from "./byte-chunks.js";
import { PickleFault, type Plain, unpickle } from "./pickle.js";
import type { Reading, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { Requests } from "./requests.js";

/** Frames that a site names, from the allocating one outwards. */
const MAX_DEPTH = 32;
const BRACE = 0x7b;
/** A pickle's first opcode; the protocol follows. */
const PROTO = 0x80;

type Dict = { readonly [key: string]: Plain };

const isDict = (value: Plain | undefined): value is Dict =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class SnapshotReading implements Reading {
  private readonly requests: Requests;
  private readonly chunks: ByteChunks;
  private readonly streams = new Map<string, number>();
  private readonly sites = new Map<Plain, number>();

  constructor(source: ReadSource) {
    this.requests = new Requests(source, "byte");
    this.chunks = new ByteChunks(source.file);
  }

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }

  finish(): ReadResult {
    const data = this.chunks.take();
    const snapshot = /^[\s\ufeff]*[{[]/.test(data.toString("utf8", 0, 64)) ? this.json(data) : this.pickle(data);
    const traces = isDict(snapshot) ? snapshot["device_traces"] : undefined;
    if (!Array.isArray(traces))
      this.requests.reject(
        "a snapshot without device_traces",
        "what torch.cuda.memory._dump_snapshot writes after _record_memory_history",
      );
    else for (const [device, events] of traces.entries()) this.device(device, events);
    return this.requests.result(pytorch.name);
  }

  private json(data: Buffer): Plain {
    try {
      return JSON.parse(data.toString("utf8").replace(/^\ufeff/, "")) as Plain;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.requests.position = Number(/position (\d+)/.exec(said)?.[1] ?? data.length);
      this.requests.reject(said.replaceAll(/\s+/g, " "), "a snapshot as whole JSON");
      return null;
    }
  }

  private pickle(data: Buffer): Plain {
    try {
      return unpickle(data);
    } catch (error) {
      if (!(error instanceof PickleFault)) throw error;
      this.requests.position = error.offset;
      this.requests.reject(error.message, error.expected);
      return null;
    }
  }

  /** Positions are the ordinals of the events of the device. */
  private device(device: number, events: Plain): void {
    this.requests.unit = "event";
    if (!Array.isArray(events)) {
      this.requests.reject(`trace of device ${device}`, "a list of events");
      return;
    }
    for (const [index, event] of events.entries()) {
      this.requests.position = index;
      if (isDict(event)) this.event(device, event);
      else this.requests.reject(`event ${index} of device ${device}`, "a dict with action, addr and size");
    }
  }

  private event(device: number, event: Dict): void {
    const { requests } = this;
    const action = event["action"];
    if (action !== "alloc" && action !== "free_completed") {
      requests.ignored.add(typeof action === "string" ? action : "otherAction", requests.position);
      return;
    }
    const { addr, size } = event;
    if (typeof addr !== "number" || typeof size !== "number" || addr < 0) {
      requests.reject(`${action} of addr ${String(addr)} and size ${String(size)}`, "two whole numbers");
      return;
    }
    if (!requests.accepts(device)) return;
    this.stream(event["stream"]);
    if (action === "alloc") requests.allocate(addr, size, 0, this.site(event["frames"]));
    else requests.free(addr);
  }

  /** Streams are what threads are on a processor: each has its own free blocks. */
  private stream(stream: Plain | undefined): void {
    if (typeof stream !== "number" && typeof stream !== "bigint") return;
    const key = String(stream);
    const number = this.streams.get(key) ?? this.streams.size;
    this.streams.set(key, number);
    this.requests.thread(number);
  }

  private site(frames: Plain | undefined): number {
    if (!Array.isArray(frames) || frames.length === 0) return 0;
    const known = this.sites.get(frames);
    if (known !== undefined) return known;
    const names = frames.slice(0, MAX_DEPTH).map((frame) => (isDict(frame) ? nameOf(frame) : "?"));
    const site = this.requests.site(names.reverse().join(";"));
    this.sites.set(frames, site);
    return site;
  }
}

function nameOf(frame: Dict): string {
  const { name, filename, line } = frame;
  const place =
    typeof filename === "string" ? ` (${filename.slice(filename.lastIndexOf("/") + 1)}:${String(line)})` : "";
  return `${typeof name === "string" ? name : "?"}${place}`.replaceAll(";", ",");
}

function recognises(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1");
  if (/^(?:\xef\xbb\xbf)?\s*\{\s*"(?:segments|device_traces|allocator_settings)"/.test(text)) return true;
  if (head[0] === BRACE) return /"(?:segments|device_traces)"\s*:\s*\[/.test(text);
  const protocol = head[0] === PROTO ? (head[1] ?? 0) : 0;
  return protocol >= 2 && protocol <= 5 && /segments|device_traces/.test(text);
}

/**
 * A CUDA memory snapshot of PyTorch, pickled or as JSON: the requests to the caching allocator of one device, the first that
 * has any. A block ends at `free_completed`; a stream is a thread; sizes are rounded by the allocator (512 bytes). The trace
 * is a ring, so that frees of unknown blocks at its start are normal.
 */
export const pytorch: TraceReader = {
  name: "pytorch",
  several: true,
  title: "PyTorch CUDA memory snapshot, pickle or JSON",
  source: "PyTorch, torch/cuda/memory.py (_snapshot) and torch/csrc/cuda/memory_snapshot.cpp",
  recognises,
  read: (source) => new SnapshotReading(source),
};
