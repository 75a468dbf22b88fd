import { logSumExp, normal, normalLogDensity, split, tf } from "marginalia";
import { banana, initSemiImplicit, meanNet, type SemiImplicit } from "./banana.js";
import { descend, type Workload } from "./workload.js";

/**
 * Semi-implicit variational inference on the banana: E[log q_K(z) − log p(z)] with
 * q_K(z) = (1/(K+1)) Σ_{k=0…K} N(z; μ(ε_k), σ), ε_0 the one that z was drawn from, ε_1…ε_K shared by all S draws.
 *
 * Source: Yin & Zhou 2018, eq. 10.
 */
export const sivi: Workload<SemiImplicit> = {
  sizes: { S: 100, K: 50, width: 50 },
  init: initSemiImplicit,
  noise: ({ S, K }, key) => {
    const [own, within, others] = split(key, 3);
    return { own: normal(own, [S, 3]), within: normal(within, [S, 2]), others: normal(others, [K, 3]) };
  },
  step: (sizes) => {
    const net = meanNet(sizes);
    return descend(({ key }) => {
      const { own, within, others } = sivi.noise(sizes, key);
      return (phi) => {
        const scale = tf.exp(phi.logScale);
        const mean = net.apply(phi.net, own);
        const z = tf.add(mean, tf.mul(scale, within));
        const otherMeans = net.apply(phi.net, others);
        const logOwn = normalLogDensity(z, mean, scale, 1);
        const logOthers = normalLogDensity(tf.expandDims(z, 1), otherMeans, scale, 1);
        const all = tf.concat([tf.expandDims(logOwn, 1), logOthers], 1);
        const logQ = tf.sub(logSumExp(all, 1), Math.log(sizes.K + 1));
        return tf.mean(tf.sub(logQ, banana(z)));
      };
    });
  },
};
