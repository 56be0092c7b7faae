import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { exponential } from "../distributions.js";
import { eventsOption } from "../events-option.js";
import { type SizeMix, sizeMix, sizeMixNames } from "../size-mixes.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";

export interface MessageQueueOptions {
  events: number;
  load: number;
  batch: number;
  node: number;
  messages: SizeMix;
}

const options: OptionTable<MessageQueueOptions> = {
  events: eventsOption,
  load: {
    kind: "number",
    min: 0.01,
    max: 0.999,
    default: 0.95,
    help: "messages that arrive for each that could be served",
  },
  batch: { kind: "number", min: 1, max: 1e6, default: 50, help: "mean number of messages that arrive at once" },
  node: {
    kind: "bytes",
    min: 8,
    max: 4096,
    default: 32,
    help: "bytes of the node that links a message into the queue",
  },
  messages: { kind: "choice", values: sizeMixNames, default: "mixed", help: "mix of the sizes of messages" },
};

/** Threads: who asks for a message and who frees it. */
const PRODUCER = 0;
const CONSUMER = 1;

/** Slots of nodes and messages in the order of arrival. */
class Fifo {
  private items = new Int32Array(2048);
  private first = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(item: number): void {
    if (this.count === this.items.length) {
      const grown = new Int32Array(2 * this.count);
      for (let i = 0; i < this.count; i++) grown[i] = this.items[(this.first + i) % this.count];
      this.items = grown;
      this.first = 0;
    }
    this.items[(this.first + this.count++) % this.items.length] = item;
  }

  take(): number {
    const item = this.items[this.first];
    this.first = (this.first + 1) % this.items.length;
    this.count--;
    return item;
  }
}

function generate(seed: number, given: MessageQueueOptions): Trace {
  const random = randomFor("message-queue", seed);
  const builder = new TraceBuilder("message-queue");
  const sizes = sizeMix(given.messages);
  const batches = exponential(given.batch);
  const queue = new Fifo();
  // Of all steps of the uniformized chain those in which a batch arrives; services come once in each unit of time.
  const rate = given.load / given.batch;
  const arrival = rate / (1 + rate);
  const { events } = given;
  builder.phase("start");
  let warm = false;
  while (builder.length < events) {
    if (!warm && builder.length >= events / 10) {
      warm = true;
      builder.phase("steady");
    } else if (random.double() < arrival) {
      builder.thread(PRODUCER);
      for (let n = batches.draw(random); n > 0 && builder.length < events; n--) {
        const node = builder.allocate(given.node);
        if (builder.length === events) break;
        queue.add(node);
        queue.add(builder.allocate(sizes.draw(random)));
      }
    } else if (queue.size > 0) {
      builder.thread(CONSUMER);
      const node = queue.take();
      builder.free(queue.take());
      if (builder.length < events) builder.free(node);
    }
  }
  return builder.build();
}

/**
 * A queue between a producer and a consumer: batches of geometric size arrive at random, messages are served one by one in
 * order, at random times (the M^X/M/1 queue), so there are `load * batch / (1 - load)` of them in the mean. Each is a node and
 * a buffer; what one thread asks for the other frees, in order of birth.
 */
export const messageQueue: WorkloadSpec<MessageQueueOptions> = {
  name: "message-queue",
  title: "Producer and consumer",
  source: "Gross & Harris, Fundamentals of Queueing Theory, section 3.1 (bulk arrivals)",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { load: 0.8, batch: 1 },
    { load: 0.5, batch: 1000, messages: "bimodal" },
  ],
  generate,
};
