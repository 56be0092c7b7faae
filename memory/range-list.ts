/**
 * Free ranges of integers, taken lowest first. Regions obtained from the system are few (hundreds to thousands), so two
 * sorted arrays do: each step is one pass over numbers that lie side by side.
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
      const at = Math.ceil(this.starts[i] / alignment) * alignment;
      if (at + length > this.ends[i]) continue;
      this.cut(i, at, at + length);
      return at;
    }
    return -1;
  }

  /** Gives a run back; it joins its neighbours. The run must not be free already. */
  give(start: number, length: number): void {
    const end = start + length;
    const i = this.firstFrom(start);
    const joinsLeft = i > 0 && this.ends[i - 1] === start;
    const joinsRight = i < this.starts.length && this.starts[i] === end;
    if (joinsLeft && joinsRight) {
      this.ends[i - 1] = this.ends[i];
      this.starts.splice(i, 1);
      this.ends.splice(i, 1);
    } else if (joinsLeft) {
      this.ends[i - 1] = end;
    } else if (joinsRight) {
      this.starts[i] = start;
    } else {
      this.starts.splice(i, 0, start);
      this.ends.splice(i, 0, end);
    }
  }

  /** Takes [start, end) out of range `i`, which holds it. */
  private cut(i: number, start: number, end: number): void {
    const rest = this.ends[i];
    if (start > this.starts[i]) {
      this.ends[i] = start;
      if (end === rest) return;
      this.starts.splice(i + 1, 0, end);
      this.ends.splice(i + 1, 0, rest);
    } else if (end < rest) {
      this.starts[i] = end;
    } else {
      this.starts.splice(i, 1);
      this.ends.splice(i, 1);
    }
  }

  /** Index of the first range that starts at `start` or beyond. */
  private firstFrom(start: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
