/**
 * A heap that serves what another one does not: chosen by an option, among the allocators of the registry. The registry
 * imports every allocator, so none can import it; it hands itself in when it makes the spec.
 */
import type { AddressSpace } from "../memory/address-space.js";
import { InputError, unknownName } from "../memory/errors.js";
import type { OptionSpec } from "../memory/options.js";
import { parseSelector, resolveOptions } from "../memory/options.js";
import { type Allocator, type AnyAllocatorSpec, isReorganizing, isTimed, type Timed } from "./allocator.js";

/** Asked when a heap is made, so the registry may still be in the making when the spec is. */
export type Families = () => Readonly<Record<string, AnyAllocatorSpec>>;

/** A text option whose value is a selector inside a selector: `/` stands where the outer one has `:` and `,`. */
export function outerOption(fallback: string, help: string): OptionSpec & { readonly default: string } {
  return {
    kind: "text",
    pattern: "[a-z0-9-]+(/[A-Za-z]+=[^/,]*)*",
    form: "an allocator such as first-fit or buddy/chunk=64K",
    default: fallback,
    help: `${help}: NAME or NAME/OPTION=VALUE/...`,
  };
}

/**
 * A new heap of the kind that option `option` of `owner` names. Its refs are addresses, by which the owner tells blocks apart; so a
 * heap of handles or without places throws an `InputError`, as do unknown names and options.
 */
export function outerHeap(
  owner: string,
  option: string,
  selector: string,
  families: Families,
  space: AddressSpace,
): Allocator {
  const { name, options } = parseSelector(selector.replace("/", ":").replaceAll("/", ","));
  const known = families();
  const spec = Object.hasOwn(known, name) ? known[name] : undefined;
  const where = `${owner}: option ${option}`;
  if (spec === undefined) throw unknownName(`allocator in option ${option} of ${owner}`, name, Object.keys(known));
  if (spec.placeless) throw new InputError(`${where}: ${name} is a bound without addresses: use a real allocator`);
  if (spec.indirect) {
    throw new InputError(
      `${where}: ${name} gives handles, and blocks are told apart by address: use a direct allocator`,
    );
  }
  const heap = spec.create(space, resolveOptions(name, spec.options, options));
  if (isReorganizing(heap)) {
    throw new InputError(
      `${where}: ${name} reorganizes at safepoints, of which a layer does not tell it: use one that does not`,
    );
  }
  return heap;
}

/** Gives `owner` a clock where one of its heaps has one, and passes the time on to them. */
export function withClockOf<Owner extends Allocator>(owner: Owner, ...heaps: readonly Allocator[]): Owner {
  const timed = heaps.filter(isTimed);
  if (timed.length === 0) return owner;
  const clock: Pick<Timed, "tick"> = {
    tick: (now) => {
      for (const heap of timed) heap.tick(now);
    },
  };
  return Object.assign(owner, clock);
}
