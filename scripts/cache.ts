/** Where finished cells are kept between runs. */
import { join } from "node:path";

/** `FRAGLAB_CACHE`, or .cache/fraglab in the current folder. Safe to delete at any time. */
export function cacheFolder(): string {
  return process.env["FRAGLAB_CACHE"] ?? join(".cache", "fraglab");
}
