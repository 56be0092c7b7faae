import { describe, expect, it } from "vitest";
import { describeAllocator } from "./allocator.properties.js";
import { allocators } from "./registry.js";

describe("the registry", () => {
  it("lists every family under its own kebab-case name", () => {
    for (const [name, spec] of Object.entries(allocators)) {
      expect(spec.name).toBe(name);
      expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    }
  });
});

for (const spec of Object.values(allocators)) describeAllocator(spec);
