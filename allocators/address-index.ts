const NOBODY = -1;

/** Whose each address is, for a walk: a table of numbers by address, made anew each time. */
export class AddressIndex {
  private places: Float64Array = new Float64Array(0);
  private table = new Int32Array(0);
  private shift = 32;

  /** The number i is at `places[i]`, for i below `count`; 0 stands for no place. Places are distinct. */
  build(places: Float64Array, count: number): void {
    // At most half full.
    const bits = Math.max(4, 33 - Math.clz32(Math.max(1, count - 1)));
    if (this.table.length < 1 << bits) this.table = new Int32Array(1 << bits);
    this.shift = 32 - bits;
    this.places = places;
    const { table } = this;
    const mask = (1 << bits) - 1;
    table.fill(NOBODY, 0, mask + 1);
    for (let i = 0; i < count; i++) {
      if (places[i] === 0) continue;
      let at = this.hash(places[i]);
      while (table[at] !== NOBODY) at = (at + 1) & mask;
      table[at] = i;
    }
  }

  /** The number at `address`, or -1. */
  find(address: number): number {
    const { table, places } = this;
    const mask = (1 << (32 - this.shift)) - 1;
    let at = this.hash(address);
    while (table[at] !== NOBODY && places[table[at]] !== address) at = (at + 1) & mask;
    return table[at];
  }

  /** Fibonacci hashing (Knuth, volume 3, 6.4) of the address in units of 8 bytes. */
  private hash(address: number): number {
    return Math.imul(Math.floor(address / 8), 0x9e3779b1) >>> this.shift;
  }
}
