/** How a heap of size classes cuts its pages. */
export interface SpanClass {
  /** Bytes of a slot, header included. */
  readonly slot: number;
  /** Bytes of a span, in whole pages. */
  readonly bytes: number;
  /** Slots of a span, at most 1,024. */
  readonly slots: number;
  /** Bytes at the start of each slot that lead back to the table entry. */
  readonly header: number;
}

/** Size classes, ascending. */
export interface SpanClasses {
  readonly classes: readonly SpanClass[];
  /** Class of a request of n bytes, at (n + 7) >> 3; larger requests get pages of their own. */
  readonly ofRequest: Uint8Array;
}

/** Classes by request size: the first whose slot holds header and request. */
export function spanClassesOf(classes: readonly SpanClass[]): SpanClasses {
  const last = classes[classes.length - 1];
  const ofRequest = new Uint8Array(((last.slot - last.header) >> 3) + 1);
  for (let i = 0, at = 0; i < ofRequest.length; i++) {
    while (classes[at].slot - classes[at].header < 8 * i) at++;
    ofRequest[i] = at;
  }
  return { classes, ofRequest };
}
