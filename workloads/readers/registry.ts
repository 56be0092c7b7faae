import { cheri } from "./cheri.js";
import { glibcRecords } from "./glibc-records.js";
import { glibcWorkload } from "./glibc-workload.js";
import { heaptrack } from "./heaptrack.js";
import { ltrace } from "./ltrace.js";
import { memoryReplay } from "./memory-replay.js";
import { mtrace } from "./mtrace.js";
import { pytorch } from "./pytorch.js";
import type { TraceReader } from "./reader.js";
import { recording } from "./recording.js";
import { text } from "./text.js";
import { umpire } from "./umpire.js";
import { utrace } from "./utrace.js";
import { valgrind } from "./valgrind.js";
import { weeAlloc } from "./wee-alloc.js";

/** Every format that `readTrace` can tell by its content, most particular first. */
export const readers: readonly TraceReader[] = [
  recording,
  glibcWorkload,
  pytorch,
  umpire,
  heaptrack,
  memoryReplay,
  cheri,
  weeAlloc,
  mtrace,
  utrace,
  ltrace,
  valgrind,
  text,
  glibcRecords,
];
