import { type AllocatorArm, allocatorArm } from "../harness/arm.js";
import { InputError } from "../memory/errors.js";

/** The arm and the options an allocator starts with before its trace is read; an `InputError` where it needs all of it. */
export function streamOptions(name: string): AllocatorArm {
  const arm = allocatorArm(name);
  const { spec } = arm;
  if (spec.fit === undefined) return arm;
  const options = spec.fit({ ...spec.defaults, ...arm.options }, () => {
    throw new InputError(
      `${name}: is fitted to the whole trace: expected an allocator that can start before it is read`,
    );
  });
  return { ...arm, options };
}
