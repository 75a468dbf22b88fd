import { gaussLegendre } from "../diagnostics/quadrature.js";
import { type Tensor, tf } from "../engine/tf.js";
import { exp } from "../ops/exp.js";
import { stopGradient } from "../ops/stopGradient.js";

/**
 * The integrals of a von Mises law that have no elementary form, by Gauss–Legendre rules made of plain operations, so that they run, compile and are differentiated on
 * every backend. With S(t) = sin²(t/2), κ (cos t − 1) is −2 κ S(t), which loses no digits however large κ.
 */
const nodes = 32;

/** Beyond 2 √κ sin(t/2) = 7, where the density is e^(−24) of its peak, nothing is added up. */
const reach = 7;

/** Where 2 √κ sin(x/2) passes this, the slope's integral is that from x outwards. */
const outerFrom = 1.5;

/** How far out, in that measure, it then goes: the integrand is e^(−16) there. */
const outerReach = 4.5;

const rule = gaussLegendre(0, 1, nodes);
const fractions = Array.from(rule.points);
const weights = Array.from(rule.logWeights, Math.exp);

/**
 * `log ∫_{−π}^{π} e^{κ (cos t − 1)} dt = log(2π I_0(κ)) − κ`, and `1 − A(κ) = E (1 − cos t) = 1 − I_1(κ)/I_0(κ)`, each relatively accurate to some 1e-6;
 * differentiable in κ.
 *
 * @internal
 */
export function vonMisesMoments(concentration: Tensor): { readonly logIntegral: Tensor; readonly spread: Tensor } {
  const kappa = tf.expandDims(concentration, -1);
  const end = stopGradient(() => angleAt(tf.scalar(reach), kappa));
  const half = stopGradient(() => tf.square(tf.sin(tf.mul(end, tf.tensor1d(fractions.map((x) => x / 2))))));
  const terms = tf.mul(tf.mul(exp(tf.mul(-2, tf.mul(kappa, half))), tf.tensor1d(weights)), end);
  const integral = tf.sum(terms, -1);
  return {
    logIntegral: tf.log(tf.mul(2, integral)),
    spread: tf.div(tf.mul(2, tf.sum(tf.mul(terms, half), -1)), integral),
  };
}

/**
 * `∂y/∂κ` of a draw y, in [−π, π], of the von Mises law about 0: −(∂F/∂κ)/p = −e^{−κ cos y} ∫_0^y (cos t − A) e^{κ cos t} dt.
 *
 * Far out, where that integral cancels, it is taken from y on outwards with the other sign: over half the circle it vanishes.
 *
 * @param concentration κ, of a shape that broadcasts to y's.
 * @internal
 */
export function vonMisesSlope(concentration: Tensor, y: Tensor): Tensor {
  return tf.tidy(() => {
    const { spread } = vonMisesMoments(concentration);
    const x = tf.abs(y);
    const measure = tf.mul(2, tf.mul(tf.sqrt(concentration), tf.sin(tf.div(x, 2))));
    const outer = tf.greater(measure, outerFrom);
    const start = tf.where(outer, x, tf.zerosLike(x));
    const end = tf.where(outer, tf.maximum(angleAt(tf.add(measure, outerReach), concentration), x), x);
    const length = tf.sub(end, start);
    const t = tf.add(tf.expandDims(start, -1), tf.mul(tf.expandDims(length, -1), tf.tensor1d(fractions)));
    const [half, halfAtX] = [tf.square(tf.sin(tf.div(t, 2))), tf.square(tf.sin(tf.div(x, 2)))];
    const last = (of: Tensor): Tensor => tf.expandDims(of, -1);
    const density = tf.exp(tf.mul(tf.mul(2, last(concentration)), tf.sub(last(halfAtX), half)));
    const terms = tf.mul(tf.mul(tf.sub(last(spread), tf.mul(2, half)), density), tf.tensor1d(weights));
    const integral = tf.mul(tf.sum(terms, -1), length);
    return tf.mul(tf.sign(y), tf.where(outer, integral, tf.neg(integral)));
  });
}

/** The angle in [0, π] at which 2 √κ sin(t/2) is as given, π where it is never so large. */
function angleAt(measure: Tensor, concentration: Tensor): Tensor {
  return tf.mul(2, tf.asin(tf.minimum(1, tf.div(measure, tf.mul(2, tf.sqrt(concentration))))));
}
