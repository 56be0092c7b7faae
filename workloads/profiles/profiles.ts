/** The size profiles that Google published of its fleet, as data. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { InputError } from "../../memory/errors.js";
import { dataFolder } from "../data-folder.js";

/** What one server program asked for. Only ratios mean anything: rates and counts have a common unknown factor each. */
export interface SizeProfile {
  readonly name: string;
  /** Distinct sizes in bytes, ascending. */
  readonly sizes: Float64Array;
  /** Calls of each size in a unit of time. */
  readonly rates: Float64Array;
  /** Live blocks of each size in the steady state. */
  readonly live: Float64Array;
  /** The heap of the program that was sampled, where it was published. */
  readonly heapMiB?: number;
}

/** Profiles of one publication. */
export interface ProfileFamily {
  readonly name: string;
  /** Repository, file and version that the data are from. */
  readonly source: string;
  readonly licence: string;
  /** What the data cannot say. */
  readonly limits: string;
  readonly profiles: readonly SizeProfile[];
}

interface StoredProfile {
  readonly name: string;
  /** From each size to the next. */
  readonly steps: readonly number[];
  readonly rates: readonly number[];
  readonly live: readonly number[];
  readonly heapMiB?: number;
}

/** Names of the profiles, so that the registry need not unpack the data. A test compares them with the data. */
export const profileNames = {
  tcmalloc: ["beta", "bravo", "charlie", "delta", "echo", "foxtrot", "merced", "sierra", "sigma", "uniform"],
  fleetbench: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
} as const;

let unpacked: readonly ProfileFamily[] | undefined;

function sizesOf(steps: readonly number[]): Float64Array {
  let size = 0;
  return Float64Array.from(steps, (step) => {
    size += step;
    return size;
  });
}

/** All profiles, unpacked at the first call. */
export function profileFamilies(): readonly ProfileFamily[] {
  if (unpacked !== undefined) return unpacked;
  const file = join(dataFolder("profiles"), "profiles.json.gz");
  const { families } = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as {
    families: readonly (Omit<ProfileFamily, "profiles"> & { readonly profiles: readonly StoredProfile[] })[];
  };
  unpacked = families.map((family) => ({
    ...family,
    profiles: family.profiles.map(({ steps, rates, live, ...rest }) => ({
      ...rest,
      sizes: sizesOf(steps),
      rates: Float64Array.from(rates),
      live: Float64Array.from(live),
    })),
  }));
  return unpacked;
}

/** One profile. Throws an `InputError` for names that are not in `profileNames`. */
export function profileNamed(family: string, name: string): SizeProfile {
  const profiles = profileFamilies().find((one) => one.name === family)?.profiles ?? [];
  const profile = profiles.find((one) => one.name === name);
  if (profile === undefined) throw new InputError(`no size profile ${family}:${name}`);
  return profile;
}

/** The part of a profile with sizes up to `largest` bytes. Throws an `InputError` where nothing is left. */
export function cutProfile(profile: SizeProfile, largest: number): SizeProfile {
  const end = profile.sizes.findLastIndex((size) => size <= largest) + 1;
  if (end === 0) {
    throw new InputError(`profile ${profile.name}: no size up to ${largest} bytes: the least is ${profile.sizes[0]}`);
  }
  const { sizes, rates, live } = profile;
  return { ...profile, sizes: sizes.slice(0, end), rates: rates.slice(0, end), live: live.slice(0, end) };
}
