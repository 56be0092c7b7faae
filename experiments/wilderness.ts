import { themeNamed } from "../charts/theme.js";
import { timeline } from "../charts/timeline.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { cellValue, courses } from "../harness/views.js";

/** A word is a page, so that the footprint has no rounding. */
const WORD = 4096;

const header = `header=none,granule=${WORD},growth=0,trim=0`;
const PRESERVED = "best fit, wilderness preserved";
const ORDINARY = "best fit, wilderness ordinary";
const FIRST = "first fit";
const allocators: Arms = {
  [PRESERVED]: `best-fit:wilderness=preserved,${header}`,
  [ORDINARY]: `best-fit:wilderness=ordinary,${header}`,
  [FIRST]: `first-fit:wilderness=preserved,${header}`,
};
const order = Object.keys(allocators);

const ATTACK = "attack on best fit";
const attack = (pairs: number): Arms => ({ [ATTACK]: `best-fit-attack:largest=32,pairs=${pairs},word=${WORD}` });

const POINTS = 4000;

const times = (tables: Tables, allocator: string): string => {
  const value = cellValue(tables, ATTACK, allocator, "extent") / cellValue(tables, ATTACK, allocator, "peakLive");
  return `${value.toFixed(value < 10 ? 2 : 1)} times`;
};

function finding(tables: Tables): string {
  return (
    `The same ${cellValue(tables, ATTACK, PRESERVED, "events")} requests take best fit to ${times(tables, PRESERVED)} the most ever live if it keeps the ` +
    `free end of memory as its last resort, and to ${times(tables, ORDINARY)} if the end is a hole like any other; first ` +
    `fit needs ${times(tables, FIRST)}. Studies that do not say which wilderness they mean cannot be compared.`
  );
}

export default defineExperiment({
  name: "wilderness",
  title: "The wilderness",
  question:
    "Does it matter whether the free end of memory is a hole like any other, or is used only when nothing else fits?",
  factors: {
    quick: { allocators, workloads: attack(400), seeds: 1 },
    paper: { allocators, workloads: attack(1000), seeds: 1 },
  },
  metrics: ["peakLive", "extent", "peakFootprint", "jw4"],
  settings: () => ({ looks: 1, extent: true }),
  finding,
  charts: [
    {
      name: "timeline",
      caption: "Live bytes and footprint on the event clock; a word is a page of 4 KiB.",
      draw: (tables, theme) =>
        timeline(courses(tables, [ATTACK], POINTS), {
          theme: themeNamed(theme),
          order,
          clock: "event",
          title: "One trace, two kinds of wilderness",
        }),
    },
  ],
});
