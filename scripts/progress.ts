/** Progress on stderr: one live line on a terminal, a plain line every 10 s in a log. */
import { milliseconds } from "../harness/clock.js";

const LIVE_MS = 100;
const QUIET_MS = 10_000;

export interface Progress {
  /** `done` of `total` units are finished, the last one being `what`. */
  update(done: number, total: number, what: string): void;
  /** Ends the live line. */
  end(): void;
}

function seconds(ms: number): string {
  const s = Math.round(ms / 1000);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}

/** Progress of `title` to a stream. */
export function createProgress(title: string, out: NodeJS.WriteStream = process.stderr): Progress {
  const started = milliseconds();
  let last = started;
  let open = false;
  return {
    update(done, total, what) {
      const now = milliseconds();
      if (done < total && now - last < (out.isTTY ? LIVE_MS : QUIET_MS)) return;
      if (!out.isTTY && done === total && now - started < QUIET_MS) return;
      last = now;
      const elapsed = now - started;
      const left = done === 0 ? "" : `, ${seconds((elapsed / done) * (total - done))} left`;
      const rate = elapsed > 0 ? `, ${((1000 * done) / elapsed).toFixed(1)} cells/s` : "";
      const line = `${title}: ${done}/${total} cells${rate}${left} (${what})`;
      if (out.isTTY) {
        out.write(`\r\x1b[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
        open = true;
      } else {
        out.write(`${line}\n`);
      }
    },
    end() {
      if (open) out.write("\r\x1b[2K");
      open = false;
    },
  };
}
