import { describe, expect, it } from "vitest";
import { none } from "../allocators/allocator.js";
import { allocators } from "../allocators/registry.js";
import { createAddressSpace } from "../memory/address-space.js";
import { Cost } from "../memory/costs.js";
import { Random } from "../memory/random.js";
import { TextbookList } from "./textbook-list.js";

describe("the textbook's list that sequential fits are timed against", () => {
  it.each(["first-fit", "best-fit", "next-fit", "worst-fit"])("places as %s does, after walks as long", (name) => {
    const space = createAddressSpace();
    const spec = allocators[name];
    const heap = spec.create(space, spec.defaults);
    const list = new TextbookList(name, 1 << 20);
    const random = new Random(5);
    const live: { ref: number; at: number }[] = [];
    let base: number | undefined;
    let searched = 0;
    for (let i = 0; i < 20_000; i++) {
      const goal = i % 5000 < 2500 ? 1500 : 300;
      if (live.length < goal || random.below(2) === 0) {
        const size = random.below(random.below(50) === 0 ? 40_000 : 600);
        const hops = list.hops;
        const block = { ref: heap.allocate(size), at: list.allocate(size) };
        searched += list.hops - hops;
        expect(block.ref).not.toBe(none);
        base ??= block.ref - block.at * 16;
        expect(block.ref - base).toBe(block.at * 16);
        live.push(block);
      }
      if (live.length >= goal) {
        const [gone] = live.splice(random.below(live.length), 1);
        heap.free(gone.ref as never);
        list.free(gone.at);
      }
    }
    expect(searched).toBe(space.costs[Cost.listHops]);
    expect(list.hops).toBeGreaterThan(searched);
  });

  it("knows no other allocator", () => {
    expect(() => new TextbookList("buddy", 64)).toThrow("buddy: the textbook's list has first-fit, best-fit");
  });
});
