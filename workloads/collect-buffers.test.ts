import { expect, it } from "vitest";
import { collectBuffers } from "./collect-buffers.js";

it("dead buffers are freed when they are collected, and not before there is need", () => {
  collectBuffers();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let i = 0; i < 400; i++) {
    if (i % 16 === 0) collectBuffers();
    Buffer.allocUnsafeSlow(300_000).fill(i);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  // 16 of them and what a collection of young objects may leave; all together are 115 MiB.
  expect(most).toBeLessThan(24 << 20);
  const kept = Buffer.allocUnsafeSlow(300_000).fill(7);
  collectBuffers();
  expect(kept.every((byte) => byte === 7)).toBe(true);
});
