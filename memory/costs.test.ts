import { describe, expect, it } from "vitest";
import { Cost, costNames, costsByName, createCosts } from "./costs.js";

describe("costs", () => {
  it("names each counter by its index", () => {
    expect(costNames.map((name) => Cost[name])).toEqual([...costNames.keys()]);
  });

  it("starts at 0 and comes out under its names", () => {
    const costs = createCosts();
    costs[Cost.moves] += 3;
    costs[Cost.osCalls] += 1;
    const expected = Object.fromEntries(
      costNames.map((name) => [name, name === "moves" ? 3 : name === "osCalls" ? 1 : 0]),
    );
    expect(costsByName(costs)).toEqual(expected);
  });
});
