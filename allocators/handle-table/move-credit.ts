/**
 * What a c-partial manager may move: 1/c of the space allocated so far (Bendersky & Petrank, Space overhead bounds for
 * dynamic memory management with partial compaction, POPL 2011). What is not spent is saved, up to a cap.
 */
export interface CreditOptions {
  /** c; 0 for no such bound. */
  cPartial: number;
  /** Most bytes that are saved. */
  creditCap: number;
}

export class MoveCredit {
  /** Bytes that may be moved now; below 0 by less than a block after a pass that overshot. */
  left = 0;
  /** Most bytes ever saved. */
  most = 0;
  private readonly share: number;
  private readonly cap: number;

  constructor(options: CreditOptions) {
    this.share = 1 / options.cPartial;
    this.cap = options.creditCap;
  }

  /** The program got blocks of `bytes`, headers included. */
  earn(bytes: number): void {
    this.left = Math.min(this.cap, this.left + bytes * this.share);
    if (this.left > this.most) this.most = this.left;
  }

  spend(bytes: number): void {
    this.left -= bytes;
  }
}
