/** Agreement of two rankings. */
import { mean } from "simple-statistics";

/** Ranks from 1; equal values share the mean of theirs. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/** Spearman's rank correlation of paired values, ties by mean ranks; `NaN` where one side is constant. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const centre = mean(x);
  const sum = (of: (i: number) => number): number => x.reduce((total, _, i) => total + of(i), 0);
  const product = sum((i) => (x[i] - centre) * (y[i] - centre));
  return (
    product / Math.sqrt(sum((i) => (x[i] - centre) * (x[i] - centre)) * sum((i) => (y[i] - centre) * (y[i] - centre)))
  );
}
