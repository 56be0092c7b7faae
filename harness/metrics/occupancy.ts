/** Address by time: how much of each stretch of mapped memory is live, over a run. For heap maps. */
import type { Address, AddressSpace } from "../../memory/address-space.js";

/** A matrix of bytes, row by row: rows are stretches of address space from low to high, columns are moments. */
export interface Occupancy {
  readonly width: number;
  readonly height: number;
  /** Event of each column. */
  readonly events: readonly number[];
  /** Bytes of address space that were ever mapped for the heap; gaps between regions are left out. */
  readonly extent: number;
  /** 0: not mapped; 1: mapped and empty; 255: full of bytes asked for and not freed. base64 of width * height bytes. */
  readonly cells: string;
}

/** Heap pages at one moment: page number and live bytes in it. */
interface Column {
  readonly event: number;
  readonly pages: Float64Array;
  readonly live: Float64Array;
}

export class OccupancyRecorder {
  private readonly columns: Column[] = [];

  /** Adds the heap as it is now. `eachLive` visits each live block: where it starts, and the bytes asked for. */
  add(event: number, space: AddressSpace, eachLive: (visit: (start: Address, bytes: number) => void) => void): void {
    const { pageSize } = space;
    const live = new Map<number, number>();
    space.regions((start, bytes, use) => {
      if (use !== 0) return;
      for (let at = start; at < start + bytes; at += pageSize) live.set(at / pageSize, 0);
    });
    eachLive((start, bytes) => {
      const end = start + bytes;
      for (let at = start; at < end; ) {
        const page = Math.floor(at / pageSize);
        const next = Math.min(end, (page + 1) * pageSize);
        live.set(page, (live.get(page) ?? 0) + next - at);
        at = next;
      }
    });
    const pages = Float64Array.from(live.keys()).sort();
    this.columns.push({ event, pages, live: pages.map((page) => live.get(page) ?? 0) });
  }

  /** The matrix with at most `height` rows. */
  build(height: number, pageSize = 4096): Occupancy {
    const everMapped = new Set<number>();
    for (const column of this.columns) for (const page of column.pages) everMapped.add(page);
    const axis = Float64Array.from(everMapped).sort();
    const rowOf = new Map<number, number>();
    const pagesPerRow = Math.max(1, Math.ceil(axis.length / height));
    axis.forEach((page, i) => {
      rowOf.set(page, Math.floor(i / pagesPerRow));
    });
    const rows = Math.max(1, Math.ceil(axis.length / pagesPerRow));
    const width = this.columns.length;
    const cells = new Uint8Array(rows * width);
    this.columns.forEach((column, x) => {
      const mapped = new Float64Array(rows);
      const live = new Float64Array(rows);
      column.pages.forEach((page, i) => {
        const row = rowOf.get(page) ?? 0;
        mapped[row] += pageSize;
        live[row] += column.live[i];
      });
      for (let y = 0; y < rows; y++) {
        if (mapped[y] > 0) cells[y * width + x] = 1 + Math.round((254 * Math.min(live[y], mapped[y])) / mapped[y]);
      }
    });
    return {
      width,
      height: rows,
      events: this.columns.map((column) => column.event),
      extent: axis.length * pageSize,
      cells: Buffer.from(cells).toString("base64"),
    };
  }
}
