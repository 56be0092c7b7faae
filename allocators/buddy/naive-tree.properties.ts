/**
 * Buddy systems told slowly, each by its own definition: a chunk is a tree of nodes, split by a function that names the
 * two parts, and lists are plain arrays. What `TreeBuddy` does with requests of up to a chunk must be the same.
 */

/** One block, or one that is split. */
interface Node {
  readonly start: number;
  readonly size: number;
  readonly parent: Node | undefined;
  parts: readonly [Node, Node] | undefined;
  state: "live" | "free" | "lazy" | "split";
}

/** What a naive system is made of; sizes in units. */
export interface NaiveSystem {
  /** The two parts of a block, the lower first; undefined for the smallest. */
  split(size: number): readonly [number, number] | undefined;
  readonly chunk: number;
  /** Units between two chunks. */
  readonly stride: number;
  readonly lifo: boolean;
  readonly lazy: boolean;
  readonly release: "keep-one" | "always" | "never";
}

/** The parts of a block by system: from the papers' text, not from tables of sizes. */
export const naiveSplits = {
  halves: (size: number) => (size === 1 ? undefined : ([size / 2, size / 2] as const)),
  tripleHalves: (size: number) => (size === 3 ? undefined : ([size / 2, size / 2] as const)),
  weighted: (size: number) => {
    if (size === 1) return undefined;
    if (size === 2) return [1, 1] as const;
    return size % 3 === 0 ? ([(size / 3) * 2, size / 3] as const) : ([(size / 4) * 3, size / 4] as const);
  },
  fibonacci: (size: number) => {
    if (size === 1) return undefined;
    let [smaller, larger] = [1, 1];
    while (smaller + larger < size) [smaller, larger] = [larger, smaller + larger];
    return [larger, smaller] as const;
  },
} as const;

export class NaiveTree {
  splits = 0;
  coalesces = 0;
  readonly chunks = new Map<number, Node>();
  private readonly system: NaiveSystem;
  private readonly sizes: readonly number[];
  /** Free nodes, the one freed last at the end; and lazy ones. */
  private readonly freeNodes: Node[] = [];
  private readonly lazy: Node[] = [];
  private readonly live = new Map<number, Node>();

  constructor(system: NaiveSystem) {
    this.system = system;
    this.sizes = this.allSizes();
  }

  /** Where a block of at least `units` starts. */
  allocate(units: number): number {
    const size = this.roundUp(units);
    const node = this.takeLazy(size) ?? this.takeFree(size);
    node.state = "live";
    this.live.set(node.start, node);
    return node.start;
  }

  free(start: number): void {
    const node = this.node(start);
    const slack = this.slack(node.size);
    this.live.delete(start);
    if (this.system.lazy && slack >= 2) {
      node.state = "lazy";
      this.lazy.push(node);
      return;
    }
    this.merge(node);
    this.drain(node.size);
  }

  /** Whether the block could change its size in place. */
  resize(start: number, units: number): boolean {
    const size = this.roundUp(units);
    let node = this.node(start);
    const before = node.size;
    const parts: Node[] = [];
    for (let up: Node = node; up.size < size; ) {
      const parent = up.parent;
      if (parent?.parts === undefined || parent.parts[0] !== up || parent.parts[1].state !== "free") return false;
      parts.push(parent.parts[1]);
      up = parent;
    }
    for (const part of parts) {
      this.unlist(part);
      node = node.parent as Node;
      node.parts = undefined;
      this.coalesces += 1;
    }
    while (node.size > size) {
      const [lower, upper] = this.cut(node);
      this.list(upper);
      node = lower;
    }
    node.state = "live";
    this.live.set(start, node);
    if (node.size !== before) this.drain(before);
    return true;
  }

  /** The blocks of all chunks as [start, size, live], in address order; lazy ones are free. */
  pieces(): [number, number, boolean][] {
    const pieces: [number, number, boolean][] = [];
    const visit = (node: Node): void => {
      if (node.parts === undefined) pieces.push([node.start, node.size, node.state === "live"]);
      else for (const part of node.parts) visit(part);
    };
    for (const chunk of this.chunks.values()) visit(chunk);
    return pieces.sort((a, b) => a[0] - b[0]);
  }

  private node(start: number): Node {
    return this.live.get(start) as Node;
  }

  private roundUp(units: number): number {
    return Math.min(...this.sizes.filter((size) => size >= units));
  }

  private allSizes(): number[] {
    const sizes = [this.system.chunk];
    for (const size of sizes)
      for (const part of this.system.split(size) ?? []) if (!sizes.includes(part)) sizes.push(part);
    return sizes;
  }

  /** Live blocks of a size less lazy ones. */
  private slack(size: number): number {
    const live = [...this.live.values()].filter((node) => node.size === size).length;
    return live - this.lazy.filter((node) => node.size === size).length;
  }

  private takeLazy(size: number): Node | undefined {
    const node = this.lazy.findLast((one) => one.size === size);
    if (node !== undefined) this.lazy.splice(this.lazy.indexOf(node), 1);
    return node;
  }

  private takeFree(size: number): Node {
    if (!this.freeNodes.some((node) => node.size >= size)) this.addChunk();
    const least = Math.min(...this.freeNodes.map((node) => node.size).filter((one) => one >= size));
    const fitting = this.freeNodes.filter((node) => node.size === least);
    if (!this.system.lifo) fitting.sort((a, b) => b.start - a.start);
    let node = fitting[fitting.length - 1];
    this.unlist(node);
    while (node.size > size) {
      const [lower, upper] = this.cut(node);
      const intoUpper = upper.size < lower.size && upper.size >= size;
      this.list(intoUpper ? lower : upper);
      node = intoUpper ? upper : lower;
    }
    return node;
  }

  private cut(node: Node): readonly [Node, Node] {
    const [lower, upper] = this.system.split(node.size) as readonly [number, number];
    const part = (start: number, size: number): Node => ({
      start,
      size,
      parent: node,
      parts: undefined,
      state: "free",
    });
    node.parts = [part(node.start, lower), part(node.start + lower, upper)];
    node.state = "split";
    this.splits += 1;
    return node.parts;
  }

  private merge(node: Node): void {
    const { parent } = node;
    const other = parent?.parts?.find((part) => part !== node);
    if (parent !== undefined && other?.state === "free") {
      this.unlist(other);
      parent.parts = undefined;
      this.coalesces += 1;
      this.merge(parent);
      return;
    }
    const spare = this.freeNodes.some((one) => one.parent === undefined);
    const { release } = this.system;
    if (parent === undefined && (release === "always" || (release === "keep-one" && spare))) {
      this.chunks.delete(node.start);
    } else {
      this.list(node);
    }
  }

  /** Merges lazy blocks of a size as long as there are more of them than live ones. */
  private drain(size: number): void {
    while (this.slack(size) < 0) this.merge(this.takeLazy(size) as Node);
  }

  private list(node: Node): void {
    node.state = "free";
    this.freeNodes.push(node);
  }

  private unlist(node: Node): void {
    this.freeNodes.splice(this.freeNodes.indexOf(node), 1);
  }

  private addChunk(): void {
    let start = 0;
    while (this.chunks.has(start)) start += this.system.stride;
    const chunk: Node = { start, size: this.system.chunk, parent: undefined, parts: undefined, state: "free" };
    this.chunks.set(start, chunk);
    this.list(chunk);
  }
}
