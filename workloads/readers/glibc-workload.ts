import { ByteChunks } from "./byte-chunks.js";
import type { Reading, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { Requests } from "./requests.js";

const Code = {
  nop: 0,
  done: 1,
  malloc: 2,
  calloc: 3,
  realloc: 4,
  free: 5,
  syncWrite: 6,
  syncRead: 7,
  slots: 8,
  syncs: 9,
  threads: 10,
  startThread: 11,
} as const;

const names = [
  "nop",
  "done",
  "malloc",
  "calloc",
  "realloc",
  "free",
  "sync write",
  "sync read",
  "slots",
  "syncs",
  "threads",
  "start thread",
];
/** Operands of each code. */
const arity = [0, 0, 2, 2, 3, 1, 1, 1, 1, 1, 1, 1];
/** Slots of a file are indices of a table that the program which made it kept in memory. */
const MAX_SLOTS = 0xffffffff;

/** A thread's place in its stream of codes. */
interface Thread {
  readonly number: number;
  at: number;
  done: boolean;
}

/** Runs the code streams of all threads against one table of slots. */
class WorkloadRun {
  private readonly data: Buffer;
  private readonly requests: Requests;
  private readonly threads: Thread[] = [];
  private readonly written = new Set<number>();
  /** Places whose code was run: no two threads share one, so that a file is run in time linear in its length. */
  private readonly passed: Uint8Array;
  private slots = MAX_SLOTS;

  constructor(data: Buffer, requests: Requests) {
    this.data = data;
    this.requests = requests;
    this.passed = new Uint8Array(data.length);
  }

  run(): void {
    this.threads.push({ number: 0, at: 0, done: false });
    for (let progress = true; progress; ) {
      progress = false;
      for (const thread of this.threads) if (!thread.done && this.runUntilBlocked(thread)) progress = true;
    }
    const stuck = this.threads.find((thread) => !thread.done);
    if (stuck === undefined) return;
    this.requests.position = stuck.at;
    this.requests.reject(`thread ${stuck.number} waits for ever`, "a sync write of another thread");
  }

  /** Whether anything was done. */
  private runUntilBlocked(thread: Thread): boolean {
    const begun = thread.at;
    if (thread.number > 0) this.requests.thread(thread.number);
    while (!thread.done) {
      const before = thread.at;
      if (this.step(thread)) continue;
      thread.at = before;
      break;
    }
    return thread.done || thread.at > begun;
  }

  /** One code; false where it has to wait. */
  private step(thread: Thread): boolean {
    const { requests } = this;
    requests.position = thread.at;
    const code = this.data[thread.at++];
    const count = code === undefined ? undefined : arity[code];
    if (code === undefined || count === undefined)
      return this.broken(thread, code === undefined ? "the end of the file" : `code ${code}`);
    const operands: number[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.operand(thread);
      if (value === undefined) return this.broken(thread, `${names[code]} with an operand that is cut or too large`);
      operands.push(value);
    }
    const [first = 0, second = 0, third = 0] = operands;
    if (code === Code.syncRead && !this.written.has(first)) return false;
    if (this.passed[requests.position] === 1) return this.broken(thread, "the code of another thread");
    this.passed[requests.position] = 1;
    if (code === Code.done) thread.done = true;
    else if (code === Code.syncRead) {
      requests.assumed.add("threadOrder", requests.position);
    } else if (code === Code.syncWrite) this.written.add(first);
    else if (code === Code.slots) this.slots = first;
    else if (code === Code.startThread) this.start(first);
    else if (code >= Code.malloc && code <= Code.free) this.request(code, first, second, third);
    return true;
  }

  /** A slot in use is freed before it is filled again. */
  private request(code: number, first: number, second: number, third: number): void {
    const { requests } = this;
    if (first > this.slots || (code === Code.realloc && second > this.slots)) {
      requests.reject(`slot ${Math.max(first, second)}`, `a slot up to ${this.slots}, as the header says`);
      return;
    }
    if (code === Code.free) requests.free(first);
    else if (code === Code.realloc) {
      if (first !== second) requests.vacate(first);
      requests.reallocate(second, third === 0 && second !== 0 ? 0 : first, third);
    } else if (first === 0) requests.reject(`${names[code]} into slot 0`, "another slot: 0 stands for NULL");
    else {
      requests.vacate(first);
      requests.allocate(first, second);
    }
  }

  private start(at: number): void {
    if (at >= this.data.length || this.passed[at] === 1)
      this.requests.reject(`thread at byte ${at}`, "a place in the file that no thread has passed");
    else this.threads.push({ number: at, at, done: false });
  }

  private broken(thread: Thread, got: string): boolean {
    thread.done = true;
    this.requests.reject(got, "a code from 0 to 11 and its operands, run by one thread");
    return true;
  }

  /** Base 128, the most significant group first, bit 7 where more follow. */
  private operand(thread: Thread): number | undefined {
    let value = 0;
    for (;;) {
      const byte = this.data[thread.at++];
      if (byte === undefined || value >= 0x400000000000) return undefined;
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
  }
}

class WorkloadReading implements Reading {
  private readonly requests: Requests;
  private readonly chunks: ByteChunks;

  constructor(source: ReadSource) {
    this.requests = new Requests(source, "byte");
    this.chunks = new ByteChunks(source.file);
  }

  push(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }

  finish(): ReadResult {
    new WorkloadRun(this.chunks.take(), this.requests).run();
    return this.requests.result(glibcWorkload.name);
  }
}

/** A file begins with the numbers of slots, syncs and threads and the first start of a thread. */
function recognises(head: Uint8Array): boolean {
  let at = 0;
  for (const code of [Code.slots, Code.syncs, Code.threads]) {
    if (head[at++] !== code) return false;
    while ((head[at] ?? 0) > 127) at++;
    at++;
  }
  return head[at] === Code.startThread;
}

/**
 * The `.wl` workloads of glibc's trace_run: one stream of byte codes for each thread. The order of the threads is laid down
 * only where one waits for another: here each runs, in the order of their start, until it has to wait.
 */
export const glibcWorkload: TraceReader = {
  name: "glibc-workload",
  title: "glibc trace workload (.wl)",
  source: "glibc-malloc-trace-utils, trace_run.c and trace2wl.cc",
  recognises,
  read: (source) => new WorkloadReading(source),
};
