import { mean, standardError, sum } from "../diagnostics/moments.js";
import type { LogPredictive } from "../diagnostics/pointwisePredictive.js";
import { breathe } from "../engine/interrupt.js";
import { checkShape } from "../engine/shape.js";
import { type Tensor2D, tf } from "../engine/tf.js";
import { valuesOf } from "../engine/values.js";
import type { RegressionModel } from "./regressionModel.js";

/** How many logits one pass makes at most. */
const logitsAtOnce = 1 << 21;

/**
 * The log-density that draws z_1 … z_S of a posterior give to held-out labels, a row's mean: (1/N) Σ_n log (1/S) Σ_s p(y_n | x_n, z_s).
 *
 * The standard error is over the draws, which are taken as independent (thin a chain first), with the rows fixed; n is S. The logarithm biases the value
 * down by half the relative variance of the inner mean, O(1/S).
 *
 * @param options.draws `[S, D]`, S ≥ 2.
 * @param options.rows `[N, 1 + P]`, N ≥ 1, as the model reads them.
 * @throws Error if the shapes do not fit, if there are fewer than two draws or no rows, or if a log-likelihood is NaN or no draw gives a row any density.
 */
export async function logPredictive(options: {
  readonly model: RegressionModel;
  readonly draws: Tensor2D;
  readonly rows: Tensor2D;
}): Promise<LogPredictive> {
  const { model, draws, rows } = options;
  checkShape("logPredictive: draws", draws, ["*", model.dimension]);
  const [count, n] = [draws.shape[0], rows.shape[0]];
  if (count < 2) throw new Error(`logPredictive: it needs at least two draws, not ${count}.`);
  if (n === 0) throw new Error("logPredictive: there are no rows; give it at least one.");
  const chunk = Math.max(1, Math.floor(logitsAtOnce / (n * model.classes)));
  /** Shows the log-likelihoods of draw s, `[N]`, one draw after another. */
  const eachDraw = async (see: (logs: Float32Array, s: number) => void): Promise<void> => {
    for (let start = 0; start < count; start += chunk) {
      const size = Math.min(chunk, count - start);
      const values = valuesOf(() => model.logLikelihood(tf.slice(draws, [start, 0], [size, -1]), rows));
      for (let s = 0; s < size; s++) see(values.subarray(s * n, (s + 1) * n), start + s);
      await breathe();
    }
  };
  const largest = new Float64Array(n).fill(-Infinity);
  const total = new Float64Array(n); // Σ_s p / e^largest
  await eachDraw((logs) => {
    for (let i = 0; i < n; i++) {
      if (logs[i] > largest[i]) {
        total[i] = total[i] * Math.exp(largest[i] - logs[i]) + 1;
        largest[i] = logs[i];
      } else total[i] += Math.exp(logs[i] - largest[i]);
    }
  });
  const perDatum = total.map((value, i) => largest[i] + Math.log(value / count));
  const bad = perDatum.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new Error(
      `logPredictive: the log predictive of row ${bad} is ${perDatum[bad]}; look at that row and at the draws.`,
    );
  // How much each draw moves the value: the mean over rows of p/p̂ − 1.
  const influence = new Float64Array(count);
  await eachDraw((logs, s) => {
    influence[s] = sum(perDatum.map((log, i) => Math.exp(logs[i] - log))) / n;
  });
  return { value: mean(perDatum), standardError: standardError(influence), n: count, perDatum };
}
