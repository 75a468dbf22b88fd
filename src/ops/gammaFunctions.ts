/**
 * log |Γ(x)| and the polygamma functions in Float64, for backends without them.
 *
 * Each shifts x > 0 up by its recurrence until the asymptotic series in 1/x² holds to double precision (Abramowitz & Stegun 6.1.40,
 * 6.3.18, 6.4.11), and reflects x < 0.
 */

/** B_2, B_4, …, B_16. */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];
const seriesFrom = 12;

/** log |Γ(x)|; +∞ at 0, −1, −2, … */
export function logGamma(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x)) return Number.POSITIVE_INFINITY;
    return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  }
  if (x === Number.POSITIVE_INFINITY) return x;
  let product = 1;
  let y = x;
  for (; y < seriesFrom; y++) product *= y;
  let sum = (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) - Math.log(product);
  bernoulli.forEach((b, i) => {
    const k = i + 1;
    sum += b / (2 * k * (2 * k - 1) * y ** (2 * k - 1));
  });
  return sum;
}

/** ψ⁽ⁿ⁾(x), the n-th derivative of ψ = (log Γ)′. NaN at 0, −1, −2, … and, for n ≥ 1, at every x < 0. */
export function polyGamma(n: number, x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x) || n > 0) return Number.NaN;
    return polyGamma(0, 1 - x) - Math.PI / Math.tan(Math.PI * x);
  }
  return n === 0 ? diGamma(x) : higher(n, x);
}

function diGamma(x: number): number {
  let sum = 0;
  let y = x;
  for (; y < seriesFrom; y++) sum -= 1 / y;
  sum += Math.log(y) - 0.5 / y;
  bernoulli.forEach((b, i) => {
    sum -= b / (2 * (i + 1) * y ** (2 * (i + 1)));
  });
  return sum;
}

/** (−1)ⁿ⁺¹ n! Σ_k (x + k)^(−n−1). */
function higher(n: number, x: number): number {
  let factorial = 1; // (n − 1)!
  for (let i = 2; i < n; i++) factorial *= i;
  let sum = 0;
  let y = x;
  for (; y < seriesFrom + n; y++) sum += (factorial * n) / y ** (n + 1);
  sum += factorial / y ** n + (factorial * n) / (2 * y ** (n + 1));
  let rising = factorial; // (2k + n − 1)! / (2k)!
  bernoulli.forEach((b, i) => {
    const k = i + 1;
    rising *= ((2 * k + n - 2) * (2 * k + n - 1)) / ((2 * k - 1) * (2 * k));
    sum += (b * rising) / y ** (2 * k + n);
  });
  return n % 2 === 1 ? sum : -sum;
}
