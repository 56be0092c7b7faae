/**
 * Free ranges of integers in ascending order, lowest first. Regions are few (hundreds), so a sorted array does.
 */
export class RangeList {
  /** Start and end (exclusive) of each free range, ascending, never adjacent. */
  private readonly starts: number[];
  private readonly ends: number[];

  constructor(start: number, end: number) {
    this.starts = [start];
    this.ends = [end];
  }

  /** Takes the lowest run of `length` integers that starts at a multiple of `alignment`; -1 where there is none. */
  take(length: number, alignment: number): number {
    for (let i = 0; i < this.starts.length; i++) {
      const start = this.starts[i];
      const end = this.ends[i];
      const at = Math.ceil(start / alignment) * alignment;
      if (at + length > end) continue;
      this.starts.splice(i, 1, ...(at > start ? [start] : []), ...(at + length < end ? [at + length] : []));
      this.ends.splice(i, 1, ...(at > start ? [at] : []), ...(at + length < end ? [end] : []));
      return at;
    }
    return -1;
  }

  /** Gives a run back; it joins its neighbours. The run must not be free already. */
  give(start: number, length: number): void {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle]) < start) low = middle + 1;
      else high = middle;
    }
    const joinsLeft = low > 0 && this.ends[low - 1] === start;
    const joinsRight = low < this.starts.length && this.starts[low] === start + length;
    if (joinsLeft && joinsRight) {
      this.ends[low - 1] = this.ends[low];
      this.starts.splice(low, 1);
      this.ends.splice(low, 1);
    } else if (joinsLeft) this.ends[low - 1] = start + length;
    else if (joinsRight) this.starts[low] = start;
    else {
      this.starts.splice(low, 0, start);
      this.ends.splice(low, 0, start + length);
    }
  }
}
