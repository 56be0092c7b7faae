const INITIAL = 1024;
/** A multiplier of FNV-1a, 32 bits. */
const PRIME = 16777619;
const BASIS = -2128831035;

/** Numbers of names that are runs of bytes: a hash table, so that a name that is known makes no string. */
export class ByteNames {
  private names: Uint8Array[] = [];
  private readonly numbers: number[] = [];
  /** Index into `names` plus 1, by hash; linear probing. */
  private table = new Int32Array(INITIAL);

  /** The number that `number` gave when these bytes were first asked for. */
  find(bytes: Uint8Array, start: number, end: number, number: (name: Uint8Array) => number): number {
    const mask = this.table.length - 1;
    for (let at = hashOf(bytes, start, end) & mask; ; at = (at + 1) & mask) {
      const index = this.table[at] - 1;
      if (index < 0) return this.add(at, Buffer.from(bytes.subarray(start, end)), number);
      if (isSame(this.names[index], bytes, start, end)) return this.numbers[index];
    }
  }

  private add(at: number, name: Uint8Array, number: (name: Uint8Array) => number): number {
    const value = number(name);
    this.numbers.push(value);
    this.table[at] = this.names.push(name);
    if (2 * this.names.length > this.table.length) this.grow();
    return value;
  }

  private grow(): void {
    const table = new Int32Array(2 * this.table.length);
    const mask = table.length - 1;
    for (const [index, name] of this.names.entries()) {
      let at = hashOf(name, 0, name.length) & mask;
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = index + 1;
    }
    this.table = table;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = BASIS;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], PRIME);
  return hash ^ (hash >>> 15);
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
