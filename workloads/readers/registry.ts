import type { TraceReader } from "./reader.js";
import { text } from "./text.js";

/** Every format that `readTrace` can tell by its content, most particular first. */
export const readers: readonly TraceReader[] = [text];
