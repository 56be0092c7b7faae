import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The suites over whole registries first: they take longest by far, and a fresh clone knows no durations yet, so that they
 * would start last, as the small files they are, and keep one worker busy for a minute while the others are done.
 */
class RegistriesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isRegistry = (file: TestSpecification): boolean => file.moduleId.endsWith("/registry.test.ts");
    return [...sorted.filter(isRegistry), ...sorted.filter((file) => !isRegistry(file))];
  }
}

export default defineConfig({
  test: {
    include: ["{memory,allocators,workloads,harness,charts,experiments,scripts}/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: RegistriesFirst },
  },
});
