import { decomposition } from "../charts/decomposition.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { cellValue, kindsAt } from "../harness/views.js";

const allocators: Arms = {
  "binary buddy": "buddy",
  "binary buddy, lazy": "buddy:merge=lazy",
  "Fibonacci buddy": "fibonacci-buddy",
  "weighted buddy": "weighted-buddy",
  "double buddy": "double-buddy",
  "best fit": "best-fit:header=none,wilderness=preserved,growth=0",
};
const order = Object.keys(allocators);

const synthetic: Arms = {
  "uniform sizes": "churn:live=4000,events=60000,sizes=uniform",
  "mixed sizes": "churn:live=4000,events=60000,sizes=mixed",
};
const recorded: Arms = {
  "lua-mix": "recorded:trace=lua-mix",
  "sqlite-shell": "recorded:trace=sqlite-shell",
  "git-repack-mt": "recorded:trace=git-repack-mt",
};
const workloads = { ...synthetic, ...recorded };

/** Waste over live when live is largest, in percent: inside of blocks, and the rest. */
function waste(tables: Tables, workload: string, allocator: string): { inside: number; outside: number } {
  const at = (kind: string): number => cellValue(tables, workload, allocator, `peak.${kind}`);
  const percent = 100 / at("live");
  return {
    inside: percent * at("padding"),
    outside: percent * (at("header") + at("tail") + at("free") + at("fresh") + at("meta")),
  };
}

function finding(tables: Tables): string {
  const shown = Object.keys(workloads).filter((workload) => cellValue(tables, workload, order[0], "peakLive") > 0);
  const parts = shown.map((workload) => {
    const all = order.map((name) => ({ name, ...waste(tables, workload, name) }));
    const buddies = all.filter(({ name }) => name !== "best fit");
    const least = (of: (one: (typeof all)[number]) => number) => buddies.reduce((a, b) => (of(b) < of(a) ? b : a));
    const inner = least(({ inside }) => inside);
    const whole = least(({ inside, outside }) => inside + outside);
    const total = ({ inside, outside }: { inside: number; outside: number }): string =>
      `${(inside + outside).toFixed(0)} %`;
    return `${workload}: least inside ${inner.name} (${inner.inside.toFixed(0)} %), least in all ${whole.name} (${total(whole)}; best fit ${total(all[all.length - 1])})`;
  });
  return `Waste over live when live is largest. ${parts.join("; ")}.`;
}

export default defineExperiment({
  name: "buddy-waste",
  title: "What buddy systems waste, inside and out",
  question: "Closer size classes waste less inside of blocks; does what is left over between blocks take it back?",
  factors: {
    quick: { allocators, workloads, seeds: 1 },
    paper: {
      allocators,
      workloads: {
        ...workloads,
        "py-json": "recorded:trace=py-json",
        "py-web": "recorded:trace=py-web",
        "redis-mesh": "recorded:trace=redis-mesh",
      },
      seeds: 5,
    },
  },
  metrics: ["peakLive", "peakFootprint", "jw2", "internalAtPeak", "externalAtPeak"],
  baseline: "binary buddy",
  settings: () => ({ looks: 2, bins: 8 }),
  finding,
  charts: [
    {
      name: "decomposition",
      caption: "What the footprint consists of when live bytes are largest, in percent of the live bytes.",
      draw: (tables, theme) =>
        decomposition(
          kindsAt(tables, ({ label }) => label === "peak"),
          { theme: themeNamed(theme), order, title: "Buddy systems: the footprint by kind when live is largest" },
        ),
    },
  ],
});
