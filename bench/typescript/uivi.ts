import { foldIn, hmcChain, normal, normalLogDensity, split, type Tensor, tf, uniform } from "marginalia";
import { banana, initSemiImplicit, meanNet, type SemiImplicit } from "./banana.js";
import { descend, tidied, type Workload } from "./workload.js";

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
    const [own, within, chain] = split(key, 3);
    // Transition t of `hmcChain` draws its momenta and its uniforms from the first two children of the key folded by t.
    const transitions = Array.from({ length: burnIn + kept }, (_, t) => split(foldIn(chain, t), 3));
    return tidied(() => ({
      own: normal(own, [S, 3]),
      within: normal(within, [S, 2]),
      momenta: tf.stack(transitions.map(([momenta]) => normal(momenta, [S, 3]))),
      accept: tf.stack(transitions.map(([, accept]) => uniform(accept, [S]))),
    }));
  },
  step: (sizes) => {
    const net = meanNet(sizes);
    const { S, burnIn, kept, leapfrogs } = sizes;
    return descend(({ parameters, key }) => {
      const [ownKey, withinKey, chainKey] = split(key, 3);
      const [own, within] = [normal(ownKey, [S, 3]), normal(withinKey, [S, 2])];
      const scale = tf.exp(parameters.logScale);
      const z = tf.add(net.apply(parameters.net, own), tf.mul(scale, within));
      const logReverse = (epsilon: Tensor): Tensor =>
        tf.add(normalLogDensity(z, net.apply(parameters.net, epsilon), scale, 1), normalLogDensity(epsilon, 0, 1, 1));
      const { positions } = hmcChain({
        logDensity: logReverse,
        position: own,
        burnIn,
        samples: kept,
        stepSize: tf.scalar(stepSize),
        leapfrogSteps: leapfrogs,
        key: chainKey,
      });
      const means = net.apply(parameters.net, positions); // [kept, S, 2]
      const score = tf.div(tf.sub(tf.mean(means, 0), z), tf.square(scale)); // ∇_z log q(z), estimated
      return (phi) => {
        const z = tf.add(net.apply(phi.net, own), tf.mul(tf.exp(phi.logScale), within));
        return tf.mean(tf.sub(tf.sum(tf.mul(score, z), 1), banana(z)));
      };
    });
  },
};
