import { trapezoid } from "../../src/diagnostics/quadrature.js";
import { tf } from "../../src/engine/tf.js";
import { meanFieldGaussian } from "../../src/families/meanFieldGaussian.js";
import { densityProblem } from "../../src/models/problem.js";
import { softplus } from "../../src/ops/softplus.js";

/** log p(z) = Σ_d 2 z_d − 3 softplus(2 z_d) − ½ z_d², with the ELBO's gradient by quadrature. */
export function logisticCase(dimension: number) {
  const [mean, logScale] = [0.5, -0.2];
  const { points, logWeights } = trapezoid(-8, 8, 400);
  const slope = (z: number) => 2 - 6 / (1 + Math.exp(-2 * z)) - z;
  const against = (g: (e: number) => number) =>
    points.reduce((sum, e, i) => sum + (Math.exp(logWeights[i] - (e * e) / 2) / Math.sqrt(2 * Math.PI)) * g(e), 0);
  const s = Math.exp(logScale);
  const row = (value: number) => tf.fill([1, dimension], value) as ReturnType<typeof tf.tensor2d>;
  return {
    problem: densityProblem({
      logDensity: (z) =>
        tf.sum(tf.sub(tf.sub(tf.mul(2, z), tf.mul(3, softplus(tf.mul(2, z)))), tf.mul(0.5, tf.square(z))), -1),
      family: meanFieldGaussian({ dimension }),
    }),
    theta: {},
    phi: { mean: row(mean), logScale: row(logScale) },
    exact: {
      theta: {},
      phi: {
        mean: row(against((e) => slope(mean + s * e))),
        logScale: row(1 + against((e) => slope(mean + s * e) * s * e)),
      },
    },
  };
}
