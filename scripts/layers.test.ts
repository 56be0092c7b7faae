/**
 * The layer table of docs/model.md, enforced: who may import whom, which package enters where, and what is banned. Reads
 * the imports of every source file.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const layers = ["memory", "allocators", "workloads", "harness", "charts", "experiments", "scripts"] as const;
type Layer = (typeof layers)[number];

/** Layers that each layer may import, itself included. */
const mayImport: Readonly<Record<Layer, readonly Layer[]>> = {
  memory: ["memory"],
  allocators: ["allocators", "memory"],
  workloads: ["workloads", "memory"],
  harness: ["harness", "allocators", "workloads", "memory"],
  charts: ["charts", "harness", "memory"],
  experiments: ["experiments", "charts", "harness", "allocators", "workloads", "memory"],
  scripts: [...layers],
};

/** The one place where each package enters; node: builtins are listed by layer below. */
const packageHome: Readonly<Record<string, RegExp>> = {
  "simple-statistics": /^harness\/statistics\//,
  piscina: /^harness\/executors\/local\.ts$/,
  tinybench: /^scripts\/bench/,
  commander: /^scripts\//,
  vega: /^charts\//,
  "vega-lite": /^charts\//,
  fontkit: /^charts\//,
  pdfkit: /^charts\//,
  "svg-to-pdfkit": /^charts\//,
  "@resvg/resvg-js": /^charts\//,
  "@expo-google-fonts/source-sans-3": /^charts\//,
  "@fontsource/source-sans-3": /^charts\//,
};
const mayUseNode: readonly Layer[] = ["workloads", "harness", "charts", "experiments", "scripts"];

interface Source {
  readonly file: string;
  readonly layer: Layer;
  readonly test: boolean;
  readonly text: string;
  readonly code: string;
  readonly imports: readonly string[];
  /** Those of them that are of types only. */
  readonly typeImports: readonly string[];
}

/** Text without comments, so that prose is not taken for code. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

function sourceOf(file: string, text: string): Source {
  const code = withoutComments(text);
  const statement =
    /(?:^|\n)\s*(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*["']([^"']+)["']|\bimport\(\s*["'`]([^"'`]+)["'`]/g;
  const found = [...code.matchAll(statement)].map((match) => ({
    path: (match[1] ?? match[2]).replace(/\?.*$/, ""),
    isType: /^\s*(?:import|export) type\b/.test(match[0]),
  }));
  const imports = found.map(({ path }) => path);
  const typeImports = found.filter(({ isType }) => isType).map(({ path }) => path);
  const test = /\.(test|properties)\.ts$/.test(file);
  return { file, layer: file.split("/")[0] as Layer, test, text, code, imports, typeImports };
}

const sources: readonly Source[] = layers.flatMap((layer) =>
  readdirSync(join(root, layer), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .sort()
    .map((file) => sourceOf(`${layer}/${file}`, readFileSync(join(root, layer, file), "utf8"))),
);

const targetOf = (source: Source, path: string): string =>
  normalize(join(dirname(source.file), path)).replace(/\.js$/, ".ts");

/** Everything in `all` that breaks the layer table, as lines `file: reason`. */
function layerFaults(all: readonly Source[]): string[] {
  return all.flatMap((source) =>
    source.imports.flatMap((path) => {
      if (path.startsWith(".")) {
        const target = targetOf(source, path);
        const layer = target.split("/")[0] as Layer;
        const faults: string[] = [];
        if (!mayImport[source.layer].includes(layer))
          faults.push(`${source.file}: ${source.layer} must not import ${target}`);
        if (source.layer === "charts" && layer === "harness" && target !== "harness/table.ts") {
          faults.push(`${source.file}: of the harness, charts see only the table, not ${target}`);
        }
        return faults;
      }
      if (source.test) return [];
      if (path.startsWith("node:"))
        return mayUseNode.includes(source.layer) ? [] : [`${source.file}: ${source.layer} must not import ${path}`];
      const name = path.startsWith("@") ? path.split("/").slice(0, 2).join("/") : path.split("/")[0];
      return packageHome[name]?.test(source.file) ? [] : [`${source.file}: the package ${name} does not enter here`];
    }),
  );
}

/** Import cycles in `all`, each as `a -> b -> a`. */
function cycles(all: readonly Source[]): string[] {
  const graph = new Map(
    all.map((source) => [source.file, source.imports.filter((p) => p.startsWith(".")).map((p) => targetOf(source, p))]),
  );
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const next of graph.get(file) ?? []) if (graph.has(next)) visit(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/**
 * Says of a file whether it is a concrete allocator or workload: what a registry imports, with all that shares a folder
 * with it, but for the contracts, of which a registry imports types. Of allocators, their shared machinery too.
 */
function concreteBy(registries: readonly Source[]): (file: string) => boolean {
  const contracts = new Set(registries.flatMap((one) => one.typeImports.map((path) => targetOf(one, path))));
  const named = registries.flatMap((one) =>
    one.imports
      .filter((path) => path.startsWith("./"))
      .map((path) => targetOf(one, path))
      .filter((file) => !contracts.has(file)),
  );
  const files = new Set(named);
  const folders = new Set(named.map((file) => dirname(file)).filter((folder) => folder.includes("/")));
  const isMachinery = (file: string): boolean => /^allocators\/(?!(allocator|registry|audit|checked)\.)/.test(file);
  return (file) => !contracts.has(file) && (files.has(file) || folders.has(dirname(file)) || isMachinery(file));
}

const isRegistry = ({ file }: Source): boolean => /^(allocators|workloads)\/registry\.ts$/.test(file);

/** Files of `all` that import a concrete allocator or workload, though they must do with the registries. */
function concreteFaults(all: readonly Source[]): string[] {
  const isConcrete = concreteBy(all.filter(isRegistry));
  // The laboratory around pymalloc: commands about this one allocator say so in their names.
  const isAboutPymalloc = (file: string): boolean => /^scripts\/[\w-]*pymalloc/.test(file);
  return all
    .filter(
      (source) =>
        !source.test &&
        !/^(allocators|workloads|experiments)\//.test(source.file) &&
        !/^scripts\/(make|import)-/.test(source.file),
    )
    .flatMap((source) =>
      source.imports
        .filter((p) => p.startsWith(".") && isConcrete(targetOf(source, p)))
        .filter((p) => !isAboutPymalloc(source.file) || !targetOf(source, p).startsWith("allocators/pymalloc/"))
        .map((p) => `${source.file}: ${p}`),
    );
}

const fake = (file: string, text: string): Source => sourceOf(file, text);

describe("the layers", () => {
  it("import downwards only, and each package enters at its one place", () => {
    expect(layerFaults(sources)).toEqual([]);
  });

  it("have no import cycle", () => {
    expect(cycles(sources)).toEqual([]);
  });

  it("would be seen to break", () => {
    expect(layerFaults([fake("memory/a.ts", 'import { b } from "../allocators/b.js";')])).toHaveLength(1);
    expect(layerFaults([fake("allocators/a.ts", 'import type { T } from "../workloads/trace.js";')])).toHaveLength(1);
    expect(layerFaults([fake("charts/a.ts", 'import { run } from "../harness/run.js";')])).toHaveLength(1);
    expect(layerFaults([fake("harness/a.ts", 'import { mean } from "simple-statistics";')])).toHaveLength(1);
    expect(layerFaults([fake("harness/a.ts", 'await import("../scripts/list.js");')])).toHaveLength(1);
    expect(
      cycles([fake("memory/a.ts", 'import "./b.js";'), fake("memory/b.ts", 'export * from "./a.js";')]),
    ).toHaveLength(1);
  });

  it("name concrete allocators and workloads only in the registries and the experiments", () => {
    expect(concreteFaults(sources)).toEqual([]);
  });

  it("would be seen to name any allocator or workload that a registry has, but not a contract", () => {
    const registries = sources.filter(isRegistry);
    expect(registries.map(({ file }) => file)).toEqual(["allocators/registry.ts", "workloads/registry.ts"]);
    for (const registry of registries) {
      const [layer] = registry.file.split("/");
      for (const path of registry.imports.filter((each) => each.startsWith("./"))) {
        const naming = fake("harness/a.ts", `import { it } from "../${layer}/${path.slice(2)}";`);
        const faults = registry.typeImports.includes(path) ? 0 : 1;
        expect(concreteFaults([...registries, naming]), path).toHaveLength(faults);
      }
    }
    const more = fake("workloads/registry.ts", 'import { b } from "./b.js";\nimport type { M } from "./more/m.js";');
    const faultsOf = (text: string): string[] => concreteFaults([more, fake("scripts/a.ts", text)]);
    expect(faultsOf('import { b } from "../workloads/b.js";')).toHaveLength(1);
    expect(faultsOf('import { runs } from "../allocators/buddy/runs.js";')).toHaveLength(1);
    expect(faultsOf('import { made } from "../workloads/more/m.js";')).toEqual([]);
    expect(faultsOf('import { read } from "../workloads/read-trace.js";')).toEqual([]);
  });

  it("have no barrels and no file of more than 350 lines", () => {
    expect(sources.filter((source) => /(^|\/)index\.ts$/.test(source.file)).map((source) => source.file)).toEqual([]);
    expect(sources.filter((source) => source.text.split("\n").length > 351).map((source) => source.file)).toEqual([]);
  });
});

describe("reproducibility", () => {
  const engine = sources.filter(
    (source) => !source.test && ["memory", "allocators", "workloads", "harness"].includes(source.layer),
  );

  it("has one module that reads clocks, and no other source of chance than memory/random", () => {
    const clocks = engine
      .filter((source) => /\b(Date\.now|performance\.now|new Date\(\))/.test(source.code))
      .map((source) => source.file);
    expect(clocks).toEqual(["harness/clock.ts"]);
    expect(
      sources.filter((source) => !source.test && /Math\.random/.test(source.code)).map((source) => source.file),
    ).toEqual([]);
  });

  it("uses no function below the charts that differs between engines", () => {
    const banned =
      /Math\.(pow|exp|log\w*|sin|cos|tan\w*|cbrt|expm1)\b|\blocaleCompare\b|toLocale\w*String|[\w)\]]\s\*\*\s[\w(]/;
    const faults = engine.filter((source) => banned.test(source.code)).map((source) => source.file);
    expect(faults).toEqual([]);
  });
});
