/** A law on finitely many values of at least 0. */
export interface DiscreteLaw {
  readonly values: Float64Array;
  readonly probabilities: Float64Array;
}

/** The points of a uniform grid, powers of 2: at least, at most. */
const [fewest, most] = [1 << 9, 1 << 15];

/** On a uniform grid a value is cut to the largest one that this much of the probability lies above. */
const tail = 1e-8;

/** Probabilities below this are rounding. */
const negligible = 1e-15;

/**
 * The law of the sum of K ≥ 1 independent draws of a law of values of at least 0, on a grid: a value between two points goes to both so that its mean stays.
 *
 * Where the values are of one order, the grid is uniform, and the sum's characteristic function the K-th power of one draw's. Where they are not, it is logarithmic above a thousandth
 * of the mean, and the sum is doubled log K times.
 *
 * @param precision the variance that the grid may add, over the square of the mean; ten times that on a logarithmic grid.
 */
export function lawOfSum(law: DiscreteLaw, draws: number, precision: number): DiscreteLaw {
  if (draws === 1) return law;
  const { values, probabilities } = law;
  const mean = values.reduce((sum, value, i) => sum + value * probabilities[i], 0);
  const within = cut(law);
  const largest = within.reduce((top, value) => Math.max(top, value), 0);
  // With the largest value times a Poisson number, which has the heaviest tail of a mean, less than 1e-15 lies beyond.
  const end = Math.min(draws * largest, 8 * draws * mean + 12 * largest);
  // A draw gains a variance of h²/6 on average; each may be rounded up by one point, and what reached beyond the end would come back at 0.
  const step = Math.sqrt(6 * precision * draws) * mean;
  let size = fewest;
  while (size < 4 * draws || size - 1 - draws < end / step) size *= 2;
  if (size > most) return onLogarithmicGrid(law, draws, mean / 1000, Math.sqrt(10 * precision));
  return onUniformGrid({ values: within, probabilities }, { draws, size, step: end / (size - 1 - draws) });
}

function onUniformGrid(
  { values, probabilities }: DiscreteLaw,
  { draws, size, step }: { readonly draws: number; readonly size: number; readonly step: number },
): DiscreteLaw {
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  values.forEach((value, i) => {
    const j = Math.floor(value / step);
    const share = value / step - j;
    re[j] += probabilities[i] * (1 - share);
    re[j + 1] += probabilities[i] * share;
  });
  fourier(re, im);
  for (let j = 0; j < size; j++) {
    const modulus = Math.hypot(re[j], im[j]) ** draws;
    const angle = Math.atan2(im[j], re[j]) * draws;
    // Conjugate, so that the same transform goes back.
    re[j] = modulus * Math.cos(angle);
    im[j] = -modulus * Math.sin(angle);
  }
  fourier(re, im);
  const kept: number[] = [];
  for (let j = 0; j < size; j++) if (re[j] / size > negligible) kept.push(j);
  return {
    values: Float64Array.from(kept, (j) => j * step),
    probabilities: Float64Array.from(kept, (j) => re[j] / size),
  };
}

/** On the grid floor · sinh(jδ): even in the value below the floor, in its logarithm above. */
function onLogarithmicGrid(law: DiscreteLaw, draws: number, floor: number, delta: number): DiscreteLaw {
  const at = (j: number): number => floor * Math.sinh(j * delta);
  const largest = law.values.reduce((top, value) => Math.max(top, value), 0);
  const size = Math.ceil(Math.asinh((draws * largest) / floor) / delta) + 2;
  const points = Float64Array.from({ length: size + 1 }, (_, j) => at(j));
  const sumOf = (a: DiscreteLaw, b: DiscreteLaw): DiscreteLaw => {
    const found = new Float64Array(size + 1);
    a.values.forEach((left, i) => {
      for (let k = 0; k < b.values.length; k++) {
        const value = left + b.values[k];
        const j = Math.floor(Math.asinh(value / floor) / delta);
        const share = (value - points[j]) / (points[j + 1] - points[j]);
        const probability = a.probabilities[i] * b.probabilities[k];
        found[j] += probability * (1 - share);
        found[j + 1] += probability * share;
      }
    });
    const kept = Array.from(found.keys()).filter((j) => found[j] > negligible);
    return {
      values: Float64Array.from(kept, (j) => points[j]),
      probabilities: Float64Array.from(kept, (j) => found[j]),
    };
  };
  const none = { values: Float64Array.of(0), probabilities: Float64Array.of(1) };
  let [sum, power] = [none, sumOf(law, none)] as [DiscreteLaw, DiscreteLaw];
  for (let left = draws; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) sum = sumOf(sum, power);
    if (left > 1) power = sumOf(power, power);
  }
  return sum;
}

/** The values, those of the upper tail cut. */
function cut({ values, probabilities }: DiscreteLaw): Float64Array {
  const descending = Array.from(values.keys()).sort((i, j) => values[j] - values[i]);
  let above = 0;
  for (const i of descending) {
    above += probabilities[i];
    if (above > tail) return values.map((value) => Math.min(value, values[i]));
  }
  return values;
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
