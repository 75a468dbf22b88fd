/**
 * Quantile of Student's t: how many standard errors a mean of few independent draws must be off to be called so.
 *
 * t with `P(T ≤ t) = probability`, T the mean of ν + 1 normal draws over its standard error. Three seeds need 2.9 standard errors where a large
 * sample needs 1.6. Found by bisection on the distribution function, which for an integer ν is a finite sum in θ = atan(t / √ν).
 *
 * @param probability - in (0, 1); 0.95 for a one-sided test at 5 %.
 * @param degrees - ν, a positive integer: one less than the draws.
 * @throws RangeError if an argument is out of range.
 * Source: Abramowitz & Stegun 1964, equations 26.7.3 and 26.7.4.
 */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`studentQuantile: the probability must be between 0 and 1, not ${probability}.`);
  if (!Number.isInteger(degrees) || degrees < 1)
    throw new RangeError(`studentQuantile: the degrees of freedom must be a positive integer, not ${degrees}.`);
  const upper = Math.max(probability, 1 - probability); // the law is symmetric
  let [low, high] = [0, Math.PI / 2];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if ((1 + centralMass(middle, degrees)) / 2 < upper) low = middle;
    else high = middle;
  }
  const quantile = Math.sqrt(degrees) * Math.tan((low + high) / 2);
  return probability < 0.5 ? -quantile : quantile;
}

/** P(|T| ≤ t) at θ = atan(t / √ν). */
function centralMass(theta: number, degrees: number): number {
  const square = Math.cos(theta) ** 2;
  const odd = degrees % 2 === 1;
  let term = odd ? Math.cos(theta) : 1;
  let total = degrees === 1 ? 0 : term;
  for (let j = odd ? 3 : 2; j < degrees; j += 2) {
    term *= (square * (j - 1)) / j;
    total += term;
  }
  return odd ? (2 / Math.PI) * (theta + Math.sin(theta) * total) : Math.sin(theta) * total;
}
