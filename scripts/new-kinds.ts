/**
 * What `fraglab new` can begin, each told by the example of a model: where its name stands, in whatever spelling, the new
 * thing's name will stand. The models' files are in `scripts/scaffold/`, with `.txt` behind their names.
 */
import { allocators } from "../allocators/registry.js";
import type { Cell } from "../harness/arm.js";
import { tabulate } from "../harness/tabulate.js";
import { readers } from "../workloads/readers/registry.js";
import { programs, workloads } from "../workloads/registry.js";
import { experimentNames } from "./load-experiments.js";

/** Lines for a file that is there. */
export interface Addition {
  readonly file: string;
  /** What the line that opens a list or an object begins with; without it the lines go to the imports. */
  readonly list?: string;
  /** Whether the lines become the first of the list; else the last. */
  readonly first?: boolean;
  /** The lines, or the name of the file of the model that holds them. */
  readonly lines: string | { readonly model: string };
}

/** A kind of thing that one can add. */
export interface Kind {
  /** The name of the model, kebab-case. */
  readonly model: string;
  /** New files. */
  readonly files: readonly string[];
  readonly additions: readonly Addition[];
  /** Whether the registry has the name in camel case. */
  readonly camel?: boolean;
  /** Names that are taken. */
  taken(): readonly string[];
  /** What to type next, with a reason. */
  readonly next: readonly (readonly [command: string, why: string])[];
  /** The page that tells more. */
  readonly page: string;
}

const READERS = "workloads/readers";

/** The columns of table.csv: a metric becomes one more. */
function columns(): string[] {
  const cell = {
    workload: { options: {} },
    allocator: { options: {} },
    seed: 1,
    skipped: "only the names of the columns are wanted",
  };
  return [...tabulate([{ cell: cell as unknown as Cell, digest: "", result: undefined }]).cells.columns.keys()];
}

const DOCS = [
  "npm run docs",
  "builds, and brings the tables of the documentation up to date; again after each change",
] as const;

/** Every kind, by the word for it. */
export const kinds: Readonly<Record<string, Kind>> = {
  allocator: {
    model: "my-allocator",
    files: ["allocators/my-allocator.ts"],
    additions: [
      { file: "allocators/registry.ts", lines: 'import { myAllocator } from "./my-allocator.js";' },
      { file: "allocators/registry.ts", list: "export const allocators", lines: '"my-allocator": myAllocator,' },
    ],
    taken: () => Object.keys(allocators),
    next: [
      DOCS,
      ["npx vitest run allocators/registry.test.ts -t my-allocator", "the conformance suite, under all its options"],
      ["npx fraglab replay --allocator my-allocator --workload recorded:trace=py-web", "all metrics of one run"],
    ],
    page: "docs/adding-an-allocator.md",
  },
  workload: {
    model: "my-workload",
    files: ["workloads/my-workload.ts", "workloads/my-workload.test.ts"],
    additions: [
      { file: "workloads/registry.ts", lines: 'import { myWorkload } from "./my-workload.js";' },
      { file: "workloads/registry.ts", list: "export const workloads", lines: '"my-workload": myWorkload,' },
    ],
    taken: () => [...Object.keys(workloads), ...Object.keys(programs)],
    next: [
      ["npm run digests -- my-workload", "writes down which traces it makes; again after each change of them"],
      DOCS,
      ["npx vitest run workloads/registry.test.ts workloads/my-workload.test.ts", "its tests"],
      ["npx fraglab replay --allocator first-fit --workload my-workload", "all metrics of one run"],
    ],
    page: "docs/adding-a-workload.md",
  },
  reader: {
    model: "my-format",
    files: [
      `${READERS}/my-format.ts`,
      `${READERS}/samples/tiny-my-format.trace`,
      `${READERS}/samples/expected/tiny-my-format.ops`,
    ],
    additions: [
      { file: `${READERS}/registry.ts`, lines: 'import { myFormat } from "./my-format.js";' },
      { file: `${READERS}/registry.ts`, list: "export const readers", first: true, lines: "myFormat," },
      { file: `${READERS}/samples.test.ts`, list: "const formats", lines: '"tiny-my-format.trace": "my-format",' },
      {
        file: `${READERS}/samples/expected/expected.json`,
        list: "{",
        first: true,
        lines: { model: "my-format.totals" },
      },
      { file: `${READERS}/damaged.test.ts`, list: "const cases", lines: { model: "my-format.damaged" } },
    ],
    taken: () => readers.map(({ name }) => name),
    next: [
      DOCS,
      [`npx vitest run ${READERS}`, "samples and damaged files of this and all other formats"],
      [`npx fraglab trace info ${READERS}/samples/tiny-my-format.trace`, "what the sample asks for"],
    ],
    page: "docs/adding-a-workload.md",
  },
  metric: {
    model: "my-metric",
    files: ["harness/metrics/my-metric.ts", "harness/metrics/my-metric.test.ts"],
    additions: [
      { file: "harness/metrics/registry.ts", lines: 'import { myMetric } from "./my-metric.js";' },
      { file: "harness/metrics/registry.ts", list: "export const metrics", lines: "myMetric," },
    ],
    camel: true,
    taken: columns,
    next: [
      DOCS,
      ["npx vitest run harness/metrics/my-metric.test.ts", "its test"],
      ['npx vitest run harness/session.test.ts -t "every metric"', "that it is a number under every allocator"],
      ["npm start", "writes its column into the tables of results/"],
    ],
    page: "docs/metrics.md",
  },
  experiment: {
    model: "my-experiment",
    files: ["experiments/my-experiment.ts"],
    additions: [],
    taken: experimentNames,
    next: [
      DOCS,
      ["npx fraglab run my-experiment --out mine", "its tables and charts, in a folder of their own"],
      ["npx fraglab run my-experiment", "the same in results/, to be committed"],
    ],
    page: "docs/adding-an-experiment.md",
  },
};
