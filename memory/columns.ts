/** What typed arrays, used as columns of records, have in common. */

type Column = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

/** A copy of a column that is `length` elements long, no fewer than it has; the new ones are `rest`. */
export function grown<C extends Column>(column: C, length: number, rest = 0): C {
  const Longer = column.constructor as new (length: number) => C;
  const copy = new Longer(length);
  copy.set(column);
  if (rest !== 0) copy.fill(rest, column.length);
  return copy;
}
