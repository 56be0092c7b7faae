import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../harness/version.js";
import { documents, regenerate } from "./generated-docs.js";

describe("generated parts of the documentation", () => {
  it.each(documents)("are up to date in %s (else: npm run docs)", async (name) => {
    const text = readFileSync(join(packageRoot, name), "utf8");
    expect(text).toContain("<!-- begin ");
    expect(await regenerate(text)).toBe(text);
  });

  it("refuse a part that nobody makes", async () => {
    await expect(regenerate("<!-- begin nonsense -->\n<!-- end nonsense -->")).rejects.toThrow(
      /unknown generated part "nonsense"/,
    );
  });
});
