import { beforeAll, describe, expect, it } from "vitest";
import { ready } from "../../src/engine/backend.js";
import { valueAndGradient } from "../../src/engine/gradient.js";
import { type Tensor, type Tensor2D, type Tensor3D, tf } from "../../src/engine/tf.js";
import { choleskyPosterior } from "../../src/families/inducingPosterior.js";
import { naturalPosterior } from "../../src/families/naturalPosterior.js";
import { backends, expectClose, expectNoLeak, read } from "../engine/support.js";
import { differenceQuotient, gradientOf } from "../ops/support.js";

// q = N(m, S) in two dimensions, and two directions a.
const m = [0.4, -0.7];
const S = [0.5, 0.2, 0.2, 0.3];
const determinant = S[0] * S[3] - S[1] * S[2];
const precision = [S[3], -S[1], -S[2], S[0]].map((value) => value / determinant);
const linear = [precision[0] * m[0] + precision[1] * m[1], precision[2] * m[0] + precision[3] * m[1]];
const directions = [
  [1, 0.3],
  [-0.5, 2],
];
const a = (): Tensor2D => tf.tensor2d([directions.map(([x]) => x), directions.map(([, y]) => y)]);

/** Σ c·aᵀm + d·aᵀSa − e·KL, in Float64, of the mean parameters (η₁, η₂) of q. */
const [c, d, e] = [[0.7, -1.1], [-0.4, 0.9], 1.3];
function functional(eta: readonly number[]): number {
  const [x, y, xx, xy, yy] = eta;
  const [s, t, u] = [xx - x * x, xy - x * y, yy - y * y];
  const kl = (s + u + x * x + y * y - 2 - Math.log(s * u - t * t)) / 2;
  return directions.reduce(
    (total, [p, q], i) => total + c[i] * (p * x + q * y) + d[i] * (p * p * s + 2 * p * q * t + q * q * u),
    -e * kl,
  );
}
const eta = [m[0], m[1], S[0] + m[0] ** 2, S[1] + m[0] * m[1], S[3] + m[1] ** 2];
const slope = (which: number): number => {
  const [up, down] = [1e-5, -1e-5].map((h) => functional(eta.map((value, i) => (i === which ? value + h : value))));
  return (up - down) / 2e-5;
};

describe.each(backends)("posteriors of inducing variables on %s", (backend) => {
  beforeAll(async () => {
    await ready({ backend });
  });
  const natural = naturalPosterior({ dimension: 2 });
  const plain = choleskyPosterior({ dimension: 2 });
  const naturalAt = () => ({ linear: tf.tensor2d(linear, [2, 1]), precision: tf.tensor2d(precision, [2, 2]) });
  const plainAt = () => {
    const first = Math.sqrt(S[0]);
    const below = S[1] / first;
    const last = Math.sqrt(S[3] - below * below);
    return {
      mean: tf.tensor2d(m, [2, 1]),
      logCholesky: tf.tensor3d([Math.log(first), 9, below, Math.log(last)], [1, 2, 2]),
    };
  };

  it("have mean, variances and divergence of N(m, S)", () => {
    const variances = directions.map(([p, q]) => p * p * S[0] + 2 * p * q * S[1] + q * q * S[3]);
    const kl = (S[0] + S[3] + m[0] ** 2 + m[1] ** 2 - 2 - Math.log(determinant)) / 2;
    const [q, r] = [naturalAt(), plainAt()];
    for (const [mean, variance, divergence] of [
      [natural.mean(q), natural.variance(q, a()), natural.kl(q)],
      [plain.mean(r), plain.variance(r, a()), plain.kl(r)],
    ]) {
      expectClose(read(mean), m, 1e-6);
      expectClose(read(variance), variances, 1e-6);
      expectClose(read(divergence), [kl], 1e-6);
    }
    const at = a();
    expectNoLeak(() => [natural.mean(q), natural.variance(q, at), natural.kl(q)]);
    expectNoLeak(() => [plain.mean(r), plain.variance(r, at), plain.kl(r)]);
    expectClose(read(natural.kl(natural.init())), [0], 1e-6);
    expectClose(read(plain.kl(plain.init())), [0], 1e-6);
  });

  it("the natural one hands back the slopes in the mean parameters", () => {
    const { gradient } = valueAndGradient((q) => {
      const at = a();
      const means = tf.squeeze(tf.matMul(at, natural.mean(q), true), [1]);
      const terms = tf.add(tf.sum(tf.mul(means, c)), tf.sum(tf.mul(natural.variance(q, at), d)));
      return tf.sub(terms, tf.mul(e, natural.kl(q)));
    }, naturalAt());
    expectClose(read(gradient.linear), [slope(0), slope(1)], 1e-5);
    // Λ = −2 θ₂; the two entries off the diagonal share one mean parameter.
    const [xx, xy, yy] = [slope(2), slope(3) / 2, slope(4)];
    expectClose(
      read(gradient.precision),
      [xx, xy, xy, yy].map((value) => -2 * value),
      1e-5,
    );
  });

  it("and the plain slope in a; the Cholesky one all its plain slopes", () => {
    const q = naturalAt();
    const inA = (at: Tensor): Tensor => natural.variance(q, at);
    expectClose(read(gradientOf(inA, [a()], 0)), differenceQuotient(inA, [a()], 0), 2e-3);
    const f = (mean: Tensor, logCholesky: Tensor, at: Tensor): Tensor => {
      const r = { mean: mean as Tensor2D, logCholesky: logCholesky as Tensor3D };
      return tf.concat([plain.variance(r, at), tf.reshape(plain.mean(r), [2]), tf.reshape(plain.kl(r), [1])]);
    };
    const inputs = [plainAt().mean, plainAt().logCholesky, a()];
    inputs.forEach((_, which) => {
      expectClose(read(gradientOf(f, inputs, which)), differenceQuotient(f, inputs, which), 2e-3);
    });
  });

  it("refuse what is none", () => {
    expect(() => naturalPosterior({ dimension: 0 })).toThrow("naturalPosterior: dimension");
    expect(() => choleskyPosterior({ dimension: 1.5 })).toThrow("choleskyPosterior: dimension");
    expect(() => choleskyPosterior({ dimension: 1, scale: 0 })).toThrow("scale must be positive and finite, not 0.");
  });
});
