import { executeNative, isNative } from "../engine/native.js";
import { executePortable } from "../engine/portable.js";
import { broadcastOf } from "../engine/shape.js";
import { type Tensor, tf } from "../engine/tf.js";
import { differentiable } from "./differentiable.js";
import { digamma } from "./digamma.js";
import { polyGamma } from "./gammaFunctions.js";
import { sumToShape } from "./sumToShape.js";

/**
 * `∂ log x/∂α` at a fixed quantile of Γ(α, 1): how a draw moves with its shape, `−(∂F(x; α)/∂α) / (x p(x; α))`, elementwise.
 *
 * It is positive, and for small x it is (ψ(α + 1) − log x)/α, so that a draw whose x underflows is no trouble. Within 1e-6 of the value, relatively, for
 * α from 1e-3 to 1e6, x from its quantile 1e-5 to 1 − 1e-5. Differentiable in log x, in closed form; not in α.
 *
 * @param concentration α > 0; it and `logX` broadcast against each other.
 * @param logX log x.
 * @throws Error if they do not broadcast; when a second derivative in α is asked for.
 * Source: Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients".
 */
export function logGammaSlope(concentration: Tensor, logX: Tensor): Tensor {
  const shape = broadcastOf("logGammaSlope", { concentration, logX });
  const alpha = spread(concentration, shape);
  const at = spread(logX, shape);
  return slope(alpha, at);
}

function spread(x: Tensor, shape: readonly number[]): Tensor {
  return `${x.shape}` === `${shape}` ? x : tf.tidy(() => tf.add(x, tf.zeros([...shape])));
}

function slope(alpha: Tensor, logX: Tensor, known?: Tensor): Tensor {
  return differentiable(
    [alpha, logX],
    (save) => {
      const value = known ? tf.clone(known) : (isNative() ? native : portable)(alpha, logX);
      save([alpha, logX, value]);
      return value;
    },
    (dy, [alpha, logX, value]) => [
      () => {
        throw new Error(
          "logGammaSlope: a draw of a gamma law can be differentiated once in its concentration, not twice.",
        );
      },
      // The slope v solves v′ = (ψ(α) − log x) − v (α − x).
      () => {
        const v = slope(alpha!, logX!, value!);
        const first = tf.sub(digamma(alpha!), logX!);
        return sumToShape(tf.mul(dy, tf.sub(first, tf.mul(v, tf.sub(alpha!, tf.exp(logX!))))), logX!.shape);
      },
    ],
  );
}

/** From here on the expansion in 1/α holds to 1e-7. */
const expansionFrom = 20;

/** Below this log x the value is that of x → 0, to 1e-8. */
const smallBelow = -18;

/**
 * v = Σ_k a_k(δ)/α^(k+1) with δ = log(x/α): the polynomials a_0 … a_3 in δ, lowest power first.
 *
 * They follow from v's differential equation and Stirling's ψ(α) = log α − Σ_k c_k α^(−k): a_0 = δ/(eᵟ − 1), whose coefficients are B_n/n!, and
 * a_k = (a_{k−1}′ + c_k)/(eᵟ − 1), expanded about 0.
 */
const expansion: readonly (readonly number[])[] = [
  [1, -1 / 2, 1 / 12, 0, -1 / 720, 0, 1 / 30240, 0, -1 / 1209600, 0, 1 / 47900160],
  [1 / 6, -1 / 12, 1 / 120, 1 / 360, -1 / 2016, -1 / 10080, 1 / 43200, 1 / 302400, -1 / 1064448],
  [1 / 60, 0, -1 / 210, 1 / 840, 1 / 5040, -1 / 10080, -1 / 237600],
  [-1 / 105, 1 / 120, -1 / 560, -1 / 1680, 67 / 221760],
];

function native(alpha: Tensor, logX: Tensor): Tensor {
  return tf.tidy(() => {
    const large = tf.greaterEqual(alpha, expansionFrom);
    const small = tf.less(logX, smallBelow);
    const x = tf.exp(tf.maximum(logX, smallBelow));
    const slope = executeNative("RandomGammaGrad", { T: { type: "float32" } }, [tf.minimum(alpha, expansionFrom), x]);
    const limit = tf.div(tf.sub(digamma(tf.add(alpha, 1)), logX), alpha);
    return tf.where(large, expanded(alpha, logX), tf.where(small, limit, tf.div(slope, x)));
  });
}

function expanded(alpha: Tensor, logX: Tensor): Tensor {
  const delta = tf.sub(logX, tf.log(alpha));
  const polynomials = expansion.map((coefficients) =>
    coefficients.reduceRight<Tensor>((sum, c) => tf.add(tf.mul(sum, delta), c), tf.scalar(0)),
  );
  return polynomials.reduceRight<Tensor>((sum, a) => tf.div(tf.add(sum, a), alpha), tf.scalar(0));
}

function portable(alpha: Tensor, logX: Tensor): Tensor {
  return executePortable(
    ([alphas, logs]) => alphas!.map((value, i) => slopeOf(value, logs![i]!)),
    [alpha, logX],
    alpha.shape,
  );
}

/** The same in Float64. For α below the expansion's, F = x^α e^(−x)/Γ(α + 1) Σ_k t_k with t_k = x^k/((α + 1) … (α + k)) is differentiated term by term. */
function slopeOf(alpha: number, logX: number): number {
  if (!(alpha > 0) || Number.isNaN(logX)) return Number.NaN;
  if (alpha >= expansionFrom) {
    const delta = logX - Math.log(alpha);
    const polynomials = expansion.map((coefficients) => coefficients.reduceRight((sum, c) => sum * delta + c, 0));
    return polynomials.reduceRight((sum, a) => (sum + a) / alpha, 0);
  }
  const x = Math.exp(logX);
  let [term, harmonic, sum, moved] = [1, 0, 1, 0];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= x / (alpha + k);
    harmonic += 1 / (alpha + k);
    sum += term;
    moved += term * harmonic;
  }
  return ((polyGamma(0, alpha + 1) - logX) * sum + moved) / alpha;
}
