import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import { AliasTable, type Distribution, logNormal, zipf } from "../distributions.js";
import { eventsOption } from "../events-option.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";

export interface AstBuilderOptions {
  events: number;
  functions: number;
  nodes: number;
  names: number;
  keep: number;
}

const options: OptionTable<AstBuilderOptions> = {
  events: eventsOption,
  functions: { kind: "integer", min: 1, max: 1e6, default: 40, help: "functions of a module" },
  nodes: { kind: "number", min: 2, max: 1e6, default: 60, help: "mean number of tree nodes of a function" },
  names: { kind: "integer", min: 1, max: 1 << 20, default: 20_000, help: "different identifiers, met by Zipf's law" },
  keep: { kind: "number", min: 0, max: 1, default: 0.05, help: "share of the functions whose tree is kept for good" },
};

/** Bytes of a node without children, with one, and with two. */
const NODE = [40, 48, 56] as const;
/** Bytes of an instruction of the lower form: one for each node. */
const INSTRUCTION = 64;
/** A leaf is an identifier with this chance, else a literal. */
const IDENTIFIER = 0.6;

/**
 * Trees by a branching process: a node has no, one or two children, with a mean of 1 - 1/nodes, so a tree has `nodes` nodes in
 * the mean (Otter, "The multiplicative process", Annals of Mathematical Statistics 20(2), 1949).
 */
function childrenOf(nodes: number): AliasTable {
  const mean = 1 - 1 / nodes;
  const two = mean / 3;
  const one = mean - 2 * two;
  return new AliasTable([1 - one - two, one, two]);
}

/** The compiler between its modules. */
class Compiler {
  private readonly builder: TraceBuilder;
  private readonly random: Random;
  private readonly given: AstBuilderOptions;
  private readonly children: AliasTable;
  private readonly popularity: Distribution;
  private readonly lengths: Distribution = logNormal(9, 0.5, 1, 64);
  /** Whether an identifier was met before. */
  private readonly known: Uint8Array;

  constructor(builder: TraceBuilder, random: Random, given: AstBuilderOptions) {
    this.builder = builder;
    this.random = random;
    this.given = given;
    this.children = childrenOf(given.nodes);
    this.popularity = zipf(given.names, 1);
    this.known = new Uint8Array(given.names);
  }

  private get over(): boolean {
    return this.builder.length >= this.given.events;
  }

  /** Parses all functions, then lowers one after the other, then emits and forgets the module. */
  module(): void {
    const trees: number[][] = [];
    for (let i = 0; i < this.given.functions && !this.over; i++) trees.push(this.parse());
    const lowered = trees.map((tree) => this.lower(tree));
    for (const code of lowered) this.release(code);
  }

  /** The nodes of a tree in preorder. The parser's stack of open nodes is an array that grows by doubling. */
  private parse(): number[] {
    const { builder, random } = this;
    const nodes: number[] = [];
    let room = 8;
    const stack = builder.allocate(room * 8);
    for (let open = 1; open > 0 && !this.over; ) {
      const children = this.children.draw(random);
      open += children - 1;
      if (open > room) {
        room *= 2;
        builder.reallocate(stack, room * 8);
        if (this.over) break;
      }
      nodes.push(builder.allocate(NODE[children]));
      if (children === 0 && !this.over && random.double() < IDENTIFIER) this.identifier();
    }
    if (!this.over) builder.free(stack);
    return nodes;
  }

  /** The token is copied; if the name is new its copy is kept, else it is dropped for the one that is known. */
  private identifier(): void {
    const { builder, random } = this;
    const name = this.popularity.draw(random) - 1;
    const token = builder.allocate(this.lengths.draw(random) + 1);
    if (this.known[name] === 0) this.known[name] = 1;
    else if (!this.over) builder.free(token);
  }

  /** One instruction for each node; then the tree is freed from its leaves up, but for the few that are kept. */
  private lower(tree: readonly number[]): number[] {
    const { builder } = this;
    const code: number[] = [];
    for (let i = 0; i < tree.length && !this.over; i++) code.push(builder.allocate(INSTRUCTION));
    if (this.random.double() >= this.given.keep) this.release(tree.toReversed());
    return code;
  }

  private release(slots: readonly number[]): void {
    for (const slot of slots) {
      if (this.over) return;
      this.builder.free(slot);
    }
  }
}

function generate(seed: number, given: AstBuilderOptions): Trace {
  const builder = new TraceBuilder("ast-builder");
  const compiler = new Compiler(builder, randomFor("ast-builder", seed), given);
  for (let i = 0; builder.length < given.events; i++) {
    builder.phase(`module ${i}`);
    if (builder.length < given.events) compiler.module();
  }
  return builder.build();
}

/**
 * A compiler that reads module after module: trees of small nodes are built, a lower form is made of each and the tree freed
 * from its leaves up, then all of the module's code at once. Between them lie what lives on, names that are met for the first
 * time and a few kept trees: short lives by the phase, with long ones strewn in.
 */
export const astBuilder: WorkloadSpec<AstBuilderOptions> = {
  name: "ast-builder",
  title: "Compiler: trees, code and names",
  source:
    "Hanson, Fast allocation and deallocation of memory based on object lifetimes, SP&E 20(1), 1990 (a compiler's phases)",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { functions: 5, nodes: 400, keep: 0 },
    { functions: 200, nodes: 10, names: 1000 },
  ],
  generate,
};
