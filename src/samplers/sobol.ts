import { joeKuo } from "./joeKuo.js";

/** The most dimensions that {@link sobolPoints} has direction numbers for: 53. */
export const sobolDimensions: number = joeKuo.length + 1;

/** Points are multiples of 2⁻²³, which float32 holds with a random shift added. */
const bits = 23;

/**
 * The first K points of Sobol's sequence in [0, 1)^D, row by row: K D numbers, the first point 0.
 *
 * For K = 2^m every interval [i/K, (i+1)/K) holds exactly one point of each coordinate, and the plane's dyadic boxes fill almost as evenly:
 * the error of a mean falls nearly as 1/K, that of independent draws as 1/√K. A K that is no power of 2 gives most of that away.
 *
 * @throws Error if K is not an integer from 1 to 2²³, or D not one from 1 to {@link sobolDimensions}.
 * Source: Sobol' 1967; Antonov & Saleev 1979 (the order by Gray code); Joe & Kuo 2008 (the direction numbers).
 */
export function sobolPoints(samples: number, dimension: number): Float64Array {
  if (!(Number.isInteger(samples) && samples >= 1 && samples <= 2 ** bits))
    throw new Error(`sobolPoints: the number of points K must be an integer from 1 to 2^${bits}, not ${samples}.`);
  if (!(Number.isInteger(dimension) && dimension >= 1 && dimension <= sobolDimensions)) {
    throw new Error(
      `sobolPoints: there are direction numbers for 1 to ${sobolDimensions} dimensions, not for ${dimension}; use independent draws.`,
    );
  }
  const points = new Float64Array(samples * dimension);
  for (let d = 0; d < dimension; d++) {
    const directions = directionsOf(d);
    for (let k = 1, word = 0; k < samples; k++) {
      word ^= directions[31 - Math.clz32(k & -k)]; // the bit in which the Gray codes of k − 1 and k differ
      points[k * dimension + d] = word / 2 ** bits;
    }
  }
  return points;
}

/** v_j = m_j 2^{bits−j}, where m_j = 2 a_1 m_{j−1} ⊕ … ⊕ 2^{s−1} a_{s−1} m_{j−s+1} ⊕ 2^s m_{j−s} ⊕ m_{j−s}. */
function directionsOf(d: number): Int32Array {
  const directions = new Int32Array(bits);
  const [degree, inner, ...initial] = d === 0 ? [0, 0] : joeKuo[d - 1];
  for (let j = 0; j < bits; j++) {
    if (d === 0 || j < degree) {
      directions[j] = (d === 0 ? 1 : initial[j]) << (bits - 1 - j);
      continue;
    }
    directions[j] = directions[j - degree] ^ (directions[j - degree] >> degree);
    for (let i = 1; i < degree; i++) if ((inner >> (degree - 1 - i)) & 1) directions[j] ^= directions[j - i];
  }
  return directions;
}
