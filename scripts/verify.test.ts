import { describe, expect, it } from "vitest";
import { atLeast, atMost, exactly, within } from "./verification.js";
import { targets } from "./verify-targets.js";

describe("a check", () => {
  it("passes and fails on the right side of its tolerance", () => {
    expect(exactly("t", 3, 3, "s").pass).toBe(true);
    expect(exactly("t", 3, 3 + 1e-12, "s").pass).toBe(false);
    expect([within("t", 1, 0.1, 1.09, "s").pass, within("t", 1, 0.1, 1.11, "s").pass]).toEqual([true, false]);
    expect([atMost("t", 5, 5, "s").pass, atMost("t", 5, 5.1, "s").pass]).toEqual([true, false]);
    expect([atLeast("t", 5, 5, "s").pass, atLeast("t", 5, 4.9, "s").pass]).toEqual([true, false]);
  });

  it("fails on what could not be measured", () => {
    const nan = Number.NaN;
    expect(
      [exactly("t", 1, nan, "s"), within("t", 1, 9, nan, "s"), atMost("t", 1, nan, "s")].map((c) => c.pass),
    ).toEqual([false, false, false]);
  });
});

describe("the targets of `fraglab verify`", () => {
  it("have names of their own and say what they check", () => {
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
    for (const { name, title } of targets) {
      expect(name).toMatch(/^[a-z][a-z-]*$/);
      expect(title.length).toBeGreaterThan(20);
    }
  });

  it.each(targets.filter(({ quick }) => quick))("$name: $title", async (target) => {
    const checks = await target.run();
    if ("skipped" in checks) {
      expect(checks.skipped).toMatch(/\S/);
      return;
    }
    expect(checks.length).toBeGreaterThan(2);
    expect(new Set(checks.map((check) => check.target)).size).toBe(checks.length);
    expect(checks.filter(({ pass }) => !pass)).toEqual([]);
    for (const { source } of checks) expect(source.length).toBeGreaterThan(10);
  });
});
