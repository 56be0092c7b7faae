/**
 * Options of allocators and workloads: one table gives names, defaults, ranges and help, and turns `k=v` text into a
 * resolved set. Values are plain data, so the resolved set can be stored with every row.
 */
import { InputError, unknownName } from "./errors.js";

export type OptionValue = string | number | boolean;

/**
 * One option. `integer` and `number` accept [min, max]; `bytes` is an integer that may be written 64K, 4M or 1G; `text`
 * is whatever matches its pattern.
 */
export type OptionSpec =
  | { readonly kind: "choice"; readonly values: readonly string[]; readonly default: string; readonly help: string }
  | { readonly kind: "boolean"; readonly default: boolean; readonly help: string }
  | {
      readonly kind: "text";
      /** What the whole value must match, as the source of a regular expression without `,`. */
      readonly pattern: string;
      /** What such a value is, for messages: `sizes such as 16+32+64`. */
      readonly form: string;
      readonly default: string;
      readonly help: string;
    }
  | {
      readonly kind: "integer" | "number" | "bytes";
      readonly min: number;
      readonly max: number;
      readonly default: number;
      readonly help: string;
    };

export type OptionTable<Options> = { readonly [Name in keyof Options]: OptionSpec };

const multiplier: Readonly<Record<string, number>> = { K: 1024, M: 1048576, G: 1073741824 };

function parseNumber(text: string, allowSuffix: boolean): number {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)(?:([KMG])(?:i?B)?)?$/i.exec(text);
  if (!match || (match[2] !== undefined && !allowSuffix))
    return text === "Infinity" || text === "inf" ? Infinity : Number.NaN;
  return Number(match[1]) * (multiplier[(match[2] ?? "").toUpperCase()] ?? 1);
}

function checkValue(owner: string, name: string, spec: OptionSpec, value: unknown): OptionValue {
  const where = `${owner}: option ${name}`;
  switch (spec.kind) {
    case "choice":
      if (typeof value === "string" && spec.values.includes(value)) return value;
      throw new InputError(`${where}: "${String(value)}" is not one of ${spec.values.join(", ")}`);
    case "boolean":
      if (value === true || value === "true" || value === "yes" || value === "on") return true;
      if (value === false || value === "false" || value === "no" || value === "off") return false;
      throw new InputError(`${where}: "${String(value)}" is not true or false`);
    case "text":
      if (typeof value === "string" && new RegExp(`^(?:${spec.pattern})$`).test(value)) return value;
      throw new InputError(`${where}: "${String(value)}" is not ${spec.form}`);
    case "integer":
    case "number":
    case "bytes": {
      const n = typeof value === "number" ? value : parseNumber(String(value), spec.kind === "bytes");
      const whole = spec.kind === "number" || Number.isInteger(n) || n === Infinity;
      if (whole && n >= spec.min && n <= spec.max) return n;
      const kind = spec.kind === "number" ? "number" : "whole number";
      throw new InputError(`${where}: "${String(value)}" is not a ${kind} from ${spec.min} to ${spec.max}`);
    }
  }
}

/** The defaults of a table. */
export function defaultsOf<Options>(table: OptionTable<Options>): Options {
  const entries = Object.entries(table) as [string, OptionSpec][];
  return Object.fromEntries(entries.map(([name, spec]) => [name, spec.default])) as Options;
}

/**
 * Fills in defaults and checks every value, which may be text from a command line.
 * Throws an `InputError` that names `owner` and the option for an unknown name or a value out of range.
 */
export function resolveOptions<Options>(
  owner: string,
  table: OptionTable<Options>,
  given: Readonly<Record<string, unknown>> = {},
): Options {
  const known = Object.keys(table);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      if (known.length === 0) throw new InputError(`${owner}: has no options, but got "${name}"`);
      throw unknownName(`option of ${owner}`, name, known);
    }
  }
  const entries = (Object.entries(table) as [string, OptionSpec][]).map(([name, spec]) => {
    const value = given[name];
    return [name, value === undefined ? spec.default : checkValue(owner, name, spec, value)];
  });
  return Object.fromEntries(entries) as Options;
}

/**
 * Splits `name:k=v,k=v` as the command line writes it. Values are text; `resolveOptions` checks them. Throws an
 * `InputError` for a part without a name or without `=`, and for an option given twice.
 */
export function parseSelector(text: string): { name: string; options: Record<string, string> } {
  const colon = text.indexOf(":");
  if (colon < 0) return { name: text, options: {} };
  const options = new Map<string, string>();
  for (const part of text.slice(colon + 1).split(",")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    if (equals < 1) throw new InputError(`"${text}": expected name:option=value,option=value, got "${part}"`);
    const name = part.slice(0, equals);
    if (options.has(name)) throw new InputError(`"${text}": option ${name} is given twice; give it once`);
    options.set(name, part.slice(equals + 1));
  }
  return { name: text.slice(0, colon), options: Object.fromEntries(options) };
}

/** The inverse of `parseSelector`: writes only the options that differ from the defaults. */
export function formatSelector<Options>(name: string, table: OptionTable<Options>, options: Options): string {
  const set = (Object.entries(table) as [keyof Options & string, OptionSpec][])
    .filter(([key, spec]) => options[key] !== spec.default)
    .map(([key]) => `${key}=${String(options[key])}`);
  return set.length === 0 ? name : `${name}:${set.join(",")}`;
}
