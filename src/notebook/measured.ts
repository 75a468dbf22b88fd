/** Numbers with their errors, as a table prints them. */

const minus = (text: string): string => text.replace(/-/g, "−");

function plain(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 1)).split("e") as [string, string];
    return minus(`${mantissa}e${Number(exponent)}`);
  }
  return minus(Number.isInteger(value) && size < 1e7 ? String(value) : String(Number(value.toPrecision(digits))));
}

/**
 * Writes value ± standard error with the error rounded to two significant digits and the value to the same decimal place, as in `−84.78 ± 0.13`.
 *
 * Without an error the value gets `digits` significant digits (default 5); what is not finite is written `NaN`, `∞` or `−∞`.
 */
export function formatMeasured(value: number, standardError?: number, digits = 5): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (standardError === undefined || standardError === 0) return plain(value, digits);
  if (!Number.isFinite(standardError)) return `${plain(value, digits)} ± ${formatMeasured(standardError)}`;
  const size = Math.max(Math.abs(value), standardError);
  if (size < 1e-4 || size >= 1e7) {
    const power = Math.floor(Math.log10(size));
    const scaled = formatMeasured(value / 10 ** power, standardError / 10 ** power);
    return `(${scaled})e${minus(String(power))}`;
  }
  // Rounding first, since .0996 rounds to .10 and must take its digits from there.
  const rounded = Number(standardError.toPrecision(2));
  const decimals = 1 - Math.floor(Math.log10(rounded));
  if (decimals < 0) {
    const unit = 10 ** -decimals;
    return `${minus(String(Math.round(value / unit) * unit))} ± ${Math.round(standardError / unit) * unit}`;
  }
  return `${minus(value.toFixed(decimals))} ± ${standardError.toFixed(decimals)}`;
}
