import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IndexList } from "./index-list.js";

function forward(links: IndexList, list: number): number[] {
  const nodes: number[] = [];
  for (let node = links.first(list); node >= 0; node = links.next(node)) nodes.push(node);
  return nodes;
}

function backward(links: IndexList, list: number): number[] {
  const nodes: number[] = [];
  for (let node = links.last(list); node >= 0; node = links.previous(node)) nodes.push(node);
  return nodes;
}

describe("index lists", () => {
  it("hold what arrays hold, in both directions, while they grow", () => {
    const action = fc.tuple(
      fc.constantFrom("front", "back", "before", "after", "remove", "reset"),
      fc.nat(3),
      fc.nat(60),
      fc.nat(60),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const links = new IndexList(4, 1);
        const model: number[][] = [[], [], [], []];
        for (const [kind, list, node, other] of actions) {
          const holder = model.find((nodes) => nodes.includes(node));
          const place = model.find((nodes) => nodes.includes(other));
          if (kind === "remove" && holder !== undefined) {
            links.remove(node);
            holder.splice(holder.indexOf(node), 1);
          } else if (kind === "reset" && other < 10) {
            links.reset(list);
            model[list] = [];
          } else if (holder === undefined && kind === "front") {
            links.pushFront(list, node);
            model[list].unshift(node);
          } else if (holder === undefined && kind === "back") {
            links.pushBack(list, node);
            model[list].push(node);
          } else if (holder === undefined && place !== undefined && kind === "before") {
            links.insertBefore(other, node);
            place.splice(place.indexOf(other), 0, node);
          } else if (holder === undefined && place !== undefined && kind === "after") {
            links.insertAfter(other, node);
            place.splice(place.indexOf(other) + 1, 0, node);
          }
          model.forEach((nodes, i) => {
            expect(forward(links, i)).toEqual(nodes);
            expect(backward(links, i)).toEqual(nodes.toReversed());
            expect(links.isEmpty(i)).toBe(nodes.length === 0);
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it("end at their own head, beside which one can insert", () => {
    const links = new IndexList(3);
    const head = links.head(1);
    links.insertBefore(head, 8);
    links.insertAfter(head, 7);
    expect(forward(links, 1)).toEqual([7, 8]);
    expect([links.next(8), links.previous(7), links.first(2), links.last(0)]).toEqual([
      head,
      head,
      links.head(2),
      links.head(0),
    ]);
    expect(head).toBeLessThan(0);
  });
});
