import type { HandleEntries } from "./handle-entries.js";
import { PinModel, type PinOptions } from "./pin-model.js";

/** What holds objects in their place: the program's pins, and those of a model. */
export class Pins {
  readonly model: PinModel | undefined;
  private readonly entries: HandleEntries;

  constructor(entries: HandleEntries, options: PinOptions) {
    this.entries = entries;
    this.model = options.pins === "events" ? undefined : new PinModel(entries, options);
  }

  /** Whether the object of a live entry must stay where it is. */
  hold(index: number): boolean {
    return this.entries.isPinned(index) || (this.model?.holds(index) ?? false);
  }

  /** Whether the next pass might find the object of a live entry free to move. */
  mayMove(index: number): boolean {
    return !this.entries.isPinned(index) && (this.model?.mayMove(index) ?? true);
  }
}
