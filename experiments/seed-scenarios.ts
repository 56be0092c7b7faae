import { type Arms, defineExperiment } from "../harness/experiment.js";

const allocators: Arms = {
  "first fit": "first-fit",
  buddy: "buddy",
  "CPython 3.7": "pymalloc:variant=cpython-3.7",
  "CPython 3.8": "pymalloc:variant=cpython-3.8",
  "CPython 3.9": "pymalloc:variant=cpython-3.9",
  "CPython 3.10": "pymalloc:variant=cpython-3.10",
  "handles, fixed": "handle-table:compact=none",
  "handles, moving": "handle-table:compact=slide,firstPoll=0,poll=0",
};
export default defineExperiment({
  name: "seed-scenarios",
  title: "x",
  question: "x",
  factors: {
    quick: {
      allocators,
      workloads: { "three-objects": "scenario", "one-byte-objects": "scenario:scene=one-byte-objects" },
      seeds: 1,
    },
    paper: { allocators, workloads: {}, seeds: 1 },
  },
  metrics: ["peakFootprint"],
  baseline: "first fit",
  settings: () => ({ layouts: true, looks: 1 }),
  finding: () => "",
  charts: [],
});
