import { unknownName } from "../../memory/errors.js";
import { type PymallocVariant, pymallocVariants } from "./options.js";

/** The minor versions of CPython 3 whose allocator is known. */
const OLDEST = 6;
const NEWEST = 14;

/**
 * The variant of a default 64-bit build of CPython 3.`minor` whose blocks start at multiples of `alignment`, which is to be
 * measured: 3.7 went from 8 to 16 bytes in a bug fix release, and builds carry patches. Undefined where there is none.
 */
export function variantOfPython(minor: number, alignment: number): PymallocVariant | undefined {
  if (minor < OLDEST || minor > NEWEST) return undefined;
  if (alignment === 8) return minor <= 8 ? "cpython-3.7" : undefined;
  if (alignment !== 16) return undefined;
  if (minor <= 8) return "cpython-3.8";
  if (minor === 9) return "cpython-3.9";
  return minor === 10 ? "cpython-3.10" : "cpython-3.11";
}

/**
 * The variant of a name: a value of the option, or any version of CPython 3 (`cpython-3.13`, `3.7.16`), whose alignment is
 * taken to be that of the release. Throws an `InputError` for anything else.
 */
export function variantNamed(name: string): PymallocVariant {
  const exact = pymallocVariants.find((value) => value === name);
  if (exact !== undefined) return exact;
  const version = /^(?:cpython-)?3\.(\d+)(?:\.(\d+))?$/.exec(name);
  const minor = Number(version?.[1] ?? Number.NaN);
  const early = minor < 7 || (minor === 7 && Number(version?.[2] ?? 0) < 4);
  const variant = version === null ? undefined : variantOfPython(minor, early ? 8 : 16);
  if (variant === undefined) throw unknownName("variant of pymalloc", name, pymallocVariants);
  return variant;
}
