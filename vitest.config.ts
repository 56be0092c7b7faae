import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{memory,allocators,workloads,harness,charts,experiments,scripts}/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
