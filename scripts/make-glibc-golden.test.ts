import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { goldenRuns, unpackAnswers } from "../allocators/glibc/golden-runs.js";
import { canRecord, recordRuns } from "./make-glibc-golden.js";

const golden = new URL("../allocators/glibc/golden/", import.meta.url);
const recorded = unpackAnswers(gunzipSync(readFileSync(fileURLToPath(new URL("answers.gz", golden)))));

// The model is compared with the recording on every machine (glibc.golden.test.ts); here the recording with the machine.
it(`finds the recording of glibc ${canRecord() ? "repeated by this machine's own glibc 2.36" : "complete; this machine has no glibc 2.36 with a compiler to repeat it"}`, () => {
  expect(recorded.map(({ length }) => length / 3)).toEqual(goldenRuns.map(({ operations }) => operations.length / 4));
  if (!canRecord()) return;
  const answers = recordRuns(fileURLToPath(new URL("drive.c", golden)));
  answers.forEach((run, i) => {
    expect(
      run.findIndex((value, at) => value !== recorded[i][at]),
      goldenRuns[i].name,
    ).toBe(-1);
  });
});
