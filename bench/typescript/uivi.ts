import { normal, normalLogDensity, split, type Tensor, tf, uniform } from "marginalia";
import { banana, initSemiImplicit, meanNet, type SemiImplicit } from "./banana.js";
import { descend, type Workload } from "./workload.js";

const stepSize = 0.2;

/**
 * Unbiased implicit variational inference on the banana: ∇_z log q(z) = E_{q(ε′ | z)} ∇_z log q(z | ε′), the expectation over the last
 * `kept` states of a Hamiltonian chain on q(ε′ | z) ∝ q(z | ε′) q(ε′) that starts at the ε that z was drawn from; one chain each.
 *
 * Source: Titsias & Ruiz 2019, eqs. 9 and 10, Algorithm 1.
 */
export const uivi: Workload<SemiImplicit> = {
  sizes: { S: 64, burnIn: 5, kept: 5, leapfrogs: 5, width: 50 },
  init: initSemiImplicit,
  noise: ({ S, burnIn, kept }, key) => {
    const [own, within, momenta, accept] = split(key, 4);
    return {
      own: normal(own, [S, 3]),
      within: normal(within, [S, 2]),
      momenta: normal(momenta, [burnIn + kept, S, 3]),
      accept: uniform(accept, [burnIn + kept, S]),
    };
  },
  step: (sizes) => {
    const net = meanNet(sizes);
    const { S, kept, leapfrogs } = sizes;
    return descend(({ parameters, key }) => {
      const { own, within, momenta, accept } = uivi.noise(sizes, key);
      const scale = tf.exp(parameters.logScale);
      const z = tf.add(net.apply(parameters.net, own), tf.mul(scale, within));
      const logReverse = (epsilon: Tensor): Tensor =>
        tf.add(normalLogDensity(z, net.apply(parameters.net, epsilon), scale, 1), normalLogDensity(epsilon, 0, 1, 1));
      const chain = hamiltonian({ logDensity: logReverse, start: own, momenta, accept, leapfrogs });
      const means = tf.reshape(net.apply(parameters.net, tf.concat(chain.slice(-kept))), [kept, S, 2]);
      const score = tf.div(tf.sub(tf.mean(means, 0), z), tf.square(scale)); // ∇_z log q(z), estimated
      return (phi) => {
        const z = tf.add(net.apply(phi.net, own), tf.mul(tf.exp(phi.logScale), within));
        return tf.mean(tf.sub(tf.sum(tf.mul(score, z), 1), banana(z)));
      };
    });
  },
};

/** The states of a Hamiltonian Monte Carlo chain, one for each of the momenta `[T, S, D]`, S chains side by side. */
function hamiltonian(options: {
  readonly logDensity: (x: Tensor) => Tensor;
  readonly start: Tensor;
  readonly momenta: Tensor;
  readonly accept: Tensor;
  readonly leapfrogs: number;
}): Tensor[] {
  const { logDensity, start, momenta, accept, leapfrogs } = options;
  const differentiate = tf.valueAndGrad(logDensity);
  const ones = tf.ones([start.shape[0]]);
  let here = { x: start, ...differentiate(start, ones) };
  const thresholds = tf.unstack(tf.log(accept));
  return tf.unstack(momenta).map((momentum, t) => {
    let there = here;
    let p = tf.add(momentum, tf.mul(here.grad, stepSize / 2));
    for (let i = 1; i <= leapfrogs; i++) {
      const x = tf.add(there.x, tf.mul(p, stepSize));
      there = { x, ...differentiate(x, ones) };
      p = tf.add(p, tf.mul(there.grad, i === leapfrogs ? stepSize / 2 : stepSize));
    }
    const kinetic = tf.mul(tf.sum(tf.sub(tf.square(momentum), tf.square(p)), 1), 0.5);
    const moved = tf.less(thresholds[t]!, tf.add(tf.sub(there.value, here.value), kinetic));
    const movedRows = tf.expandDims(moved, 1);
    here = {
      x: tf.where(movedRows, there.x, here.x),
      grad: tf.where(movedRows, there.grad, here.grad),
      value: tf.where(moved, there.value, here.value),
    };
    return here.x;
  });
}
