/** Facts about the machine and the moment: kept beside the results, never inside. */
import { cpus, platform, release, totalmem } from "node:os";
import { timestamp } from "./clock.js";
import { codeVersion, version } from "./version.js";

export interface Provenance {
  readonly version: string;
  /** Hash of the code that decided the results. */
  readonly code: string;
  readonly command: string;
  readonly profile: string;
  readonly cells: number;
  readonly reused: number;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly finished: string;
}

/** Provenance of a run that ends now. */
export function provenance(run: Pick<Provenance, "command" | "profile" | "cells" | "reused">): Provenance {
  const processors = cpus();
  return {
    version,
    code: codeVersion(),
    ...run,
    node: process.version,
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memory: totalmem(),
    finished: timestamp(),
  };
}
