import { grown } from "../../memory/columns.js";
import type { Ref } from "../allocator.js";

/** No object has this name: it waits to be used again. */
const VACANT = 0;

/**
 * The simulator's names of objects whose addresses change: what the program really holds are its own pointers, so nothing
 * of this is memory of the modelled machine. Names are used again last in, first out.
 */
export class Names {
  /** By name: the address, as the ref that the heap below gave; 0 for a name without an object. */
  place = new Float64Array(1024);
  pins = new Int32Array(1024);
  /** 1 for an object that was freed while pinned. */
  doomed = new Uint8Array(1024);
  /** Names ever used. */
  used = 0;
  private readonly vacant: number[] = [];

  /** A name for the object at `place`. */
  take(place: Ref): number {
    const name = this.vacant.pop() ?? this.used++;
    if (name === this.place.length) this.grow();
    this.place[name] = place;
    this.pins[name] = 0;
    this.doomed[name] = 0;
    return name;
  }

  /** The object is gone. */
  give(name: number): void {
    this.place[name] = VACANT;
    this.vacant.push(name);
  }

  private grow(): void {
    const length = 2 * this.place.length;
    this.place = grown(this.place, length);
    this.pins = grown(this.pins, length);
    this.doomed = grown(this.doomed, length);
  }
}

export function refOf(name: number): Ref {
  return (name + 1) as Ref;
}

export function nameOf(ref: Ref): number {
  return ref - 1;
}
