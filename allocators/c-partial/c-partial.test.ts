import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Compacting, isCompacting, none, type Ref, unlogged } from "../allocator.js";
import { cPartial } from "./c-partial.js";
import type { CPartialOptions } from "./options.js";

const WORD = 16;

/** A heap told in words: letters are blocks, dots are free. */
function start(options: Partial<CPartialOptions>) {
  const space = createAddressSpace();
  const made = cPartial.create(space, options);
  if (!isCompacting(made)) throw new Error("c-partial moves blocks");
  const heap: Compacting = made;
  const refs = new Map<string, Ref>();
  const nameOf = (ref: number): string => [...refs].find(([, one]) => one === ref)?.[0] ?? "?";
  return {
    heap,
    space,
    /** Whether the request was served at once. */
    take(name: string, words: number): boolean {
      const ref = heap.allocate(words * WORD);
      if (ref !== none) refs.set(name, ref);
      return ref !== none;
    },
    drop(names: string): void {
      for (const name of names) {
        heap.free(refs.get(name) as Ref);
        refs.delete(name);
      }
    },
    pin: (name: string) => heap.pin(refs.get(name) as Ref),
    moved: () => heap.compact(Number.POSITIVE_INFINITY, unlogged) / WORD,
    drawn(): string {
      const map = new HeapMap();
      heap.walk(map);
      let picture = "";
      for (let i = 0; i < map.length; i++) {
        const words = map.bytes[i] / WORD;
        if (map.kind[i] === Kind.live) picture += nameOf(map.owner[i]).repeat(words);
        else if (map.kind[i] === Kind.free) picture += ".".repeat(words);
      }
      return picture.replace(/\.+$/, "");
    },
  };
}

describe("bump and slide", () => {
  it("slides when a request would pass (c + 1) M, and not before", () => {
    const h = start({ manager: "slide", c: 1 });
    for (const name of "abcd") expect(h.take(name, 2)).toBe(true);
    h.drop("ac");
    // M is 8 words: the bump pointer may go to 16.
    for (const name of "ef") expect(h.take(name, 2)).toBe(true);
    expect(h.drawn()).toBe("..bb..ddeeff");
    h.drop("e");
    expect(h.take("g", 2)).toBe(true);
    h.drop("f");
    expect(h.take("h", 2)).toBe(true);
    expect(h.drawn()).toBe("..bb..dd....gghh");
    h.drop("b");
    expect(h.take("i", 1)).toBe(false);
    expect(h.moved()).toBe(6);
    expect(h.take("i", 1)).toBe(true);
    expect(h.drawn()).toBe("ddgghhi");
  });

  it("starts again at the bottom when nothing is live", () => {
    const h = start({ manager: "slide" });
    h.take("a", 5);
    h.take("b", 5);
    h.drop("ab");
    h.take("c", 1);
    expect(h.drawn()).toBe("c");
  });

  it("leaves a pinned block, and what is above it closes up to it", () => {
    const h = start({ manager: "slide", c: 1 });
    for (const name of "abcd") h.take(name, 1);
    h.drop("ac");
    h.pin("b");
    for (const [dropped, name] of ["-e", "-f", "eg", "fh"]) {
      if (dropped !== "-") h.drop(dropped);
      h.take(name, 1);
    }
    h.drop("g");
    expect(h.drawn()).toBe(".b.d...h");
    expect(h.take("i", 1)).toBe(false);
    h.moved();
    expect(h.drawn()).toBe(".bdh");
  });
});

describe("first fit that empties windows", () => {
  it("moves the cheapest window's blocks into holes elsewhere rather than grow", () => {
    const h = start({ manager: "evacuate", c: 1 });
    for (const [name, words] of Object.entries({ a: 1, b: 3, c: 2, d: 2, e: 1, f: 3, g: 4 })) h.take(name, words);
    h.drop("bf");
    expect(h.drawn()).toBe("a...ccdde...gggg");
    // Windows of four words cost 1, 4, 1 and 4: of equals the lowest, whose only block fits into the second hole.
    expect(h.take("h", 4)).toBe(false);
    expect(h.moved()).toBe(1);
    expect(h.drawn()).toBe("....ccddea..gggg");
    expect(h.take("h", 4)).toBe(true);
    expect(h.drawn()).toBe("hhhhccddea..gggg");
  });

  it("grows where the budget does not pay, and never moves with an infinite c", () => {
    for (const c of [20, Number.POSITIVE_INFINITY]) {
      const h = start({ manager: "evacuate", c });
      for (const [name, words] of Object.entries({ a: 1, b: 3, c: 2, d: 2, e: 1, f: 3, g: 4 })) h.take(name, words);
      h.drop("bf");
      // 16 words were allocated and 4 are asked for: at c = 20 one word may be moved.
      expect(h.take("h", 4)).toBe(c > 20);
      expect(h.moved()).toBe(c > 20 ? 0 : 1);
      if (c > 20) expect(h.drawn()).toBe("a...ccdde...gggghhhh");
    }
    const h = start({ manager: "evacuate", c: 21 });
    for (const [name, words] of Object.entries({ a: 1, b: 3, c: 2, d: 2, e: 1, f: 3, g: 4 })) h.take(name, words);
    h.drop("bf");
    expect(h.take("h", 4)).toBe(true);
  });

  it("looks for another window where a block is pinned", () => {
    const h = start({ manager: "evacuate", c: 1 });
    for (const [name, words] of Object.entries({ a: 1, b: 3, c: 2, d: 2, e: 1, f: 3, g: 4 })) h.take(name, words);
    h.drop("bf");
    h.pin("a");
    expect(h.take("h", 4)).toBe(false);
    h.moved();
    expect(h.drawn()).toBe("ae..ccdd....gggg");
  });
});

describe("a manager on demand", () => {
  it("refuses a request once, does nothing unasked, and serves who asks again", () => {
    const h = start({ manager: "slide", c: 1 });
    for (const name of "abcd") h.take(name, 1);
    h.drop("abc");
    expect(h.moved()).toBe(0);
    expect(h.heap.compactionDue(1e9)).toBe(0);
    for (const name of "efg") h.take(name, 1);
    h.drop("e");
    h.take("h", 1);
    h.drop("f");
    expect(h.take("i", 1)).toBe(false);
    expect(h.take("i", 1)).toBe(true);
    expect(h.drawn()).toBe("...d..ghi");
    expect(h.space.costs[Cost.moves]).toBe(0);
  });
});
