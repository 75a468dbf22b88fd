/** A law on finitely many values of at least 0. */
export interface DiscreteLaw {
  readonly values: Float64Array;
  readonly probabilities: Float64Array;
}

/** Points of the grid that a sum's law is put on: a power of 2. */
const size = 1 << 14;

/** Probabilities below this are rounding. */
const negligible = 1e-15;

/**
 * The law of the sum of K independent draws of a law of values of at least 0, 1 ≤ K ≤ 4096.
 *
 * On a uniform grid that reaches beyond K times the largest value; a value between two points goes to both so that its mean stays. The characteristic function of the sum is the
 * K-th power of one draw's, so K costs nothing. Each draw gains a variance of h²/4 at most, h the grid's step. K = 1 is the law itself.
 */
export function lawOfSum({ values, probabilities }: DiscreteLaw, draws: number): DiscreteLaw {
  if (draws === 1) return { values, probabilities };
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  if (draws > size / 4) throw new RangeError(`The law of a sum is made for ${size / 4} terms at most, not ${draws}.`);
  // Each term may be rounded up by one point; what reached beyond the end would come back at 0.
  const h = (draws * most) / (size - 1 - draws);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  values.forEach((value, i) => {
    const j = Math.floor(value / h);
    const share = value / h - j;
    re[j] += probabilities[i] * (1 - share);
    re[j + 1] += probabilities[i] * share;
  });
  fourier(re, im);
  for (let j = 0; j < size; j++) {
    const [modulus, angle] = [Math.hypot(re[j], im[j]) ** draws, Math.atan2(im[j], re[j]) * draws];
    // Conjugate, so that the same transform goes back.
    re[j] = modulus * Math.cos(angle);
    im[j] = -modulus * Math.sin(angle);
  }
  fourier(re, im);
  const kept = Array.from(re.keys()).filter((j) => re[j] / size > negligible);
  return {
    values: Float64Array.from(kept, (j) => j * h),
    probabilities: Float64Array.from(kept, (j) => re[j] / size),
  };
}

/** The discrete Fourier transform in place, Σ_j a_j exp(−2πi jk/n), n a power of 2 (Cooley & Tukey). */
function fourier(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((Math.PI * k) / half);
      const sin = -Math.sin((Math.PI * k) / half);
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const x = re[j] * cos - im[j] * sin;
        const y = re[j] * sin + im[j] * cos;
        re[j] = re[i] - x;
        im[j] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
    }
  }
}
