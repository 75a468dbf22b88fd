/** A table of claims, as HTML and as text. */
import type { Claim, Verdict } from "./claim.js";
import { escapeHtml } from "./escape.js";
import { formatMeasured } from "./measured.js";

/** One character a verdict, so that colour is never the only difference. */
export const verdictSign: Readonly<Record<Verdict, string>> = {
  reproduced: "✓",
  failed: "✗",
  negative: "−",
  skipped: "○",
  unresolved: "?",
};

const colour: Readonly<Record<Verdict, string>> = {
  reproduced: "#00664d",
  failed: "#b3261e",
  negative: "#0b5394",
  skipped: "#666",
  unresolved: "#8a5a00",
};

/** A claim's measured value in words: `−84.78 ± 0.13 (n = 5)`, or `–` where there is none. */
export function measuredText(claim: Claim): string {
  if (claim.measured === undefined) return "–";
  const { value, standardError, n } = claim.measured;
  return `${formatMeasured(value, standardError)}${n === undefined ? "" : ` (n = ${n})`}`;
}

/** A claim's published value in words, or `–`. */
export function publishedText(claim: Claim): string {
  if (claim.published === undefined) return "–";
  const { value, standardError, source } = claim.published;
  return `${formatMeasured(value, standardError)} (${source})`;
}

/** The claims as an HTML table; everything is escaped. */
export function claimsHtml(claims: readonly Claim[]): string {
  if (claims.length === 0) return "<p>This notebook states no claim.</p>";
  const cells = (tag: string, values: readonly string[]): string =>
    `<tr>${values.map((value) => `<${tag} style="text-align:left;vertical-align:top">${value}</${tag}>`).join("")}</tr>`;
  const rows = claims.map((claim) =>
    cells("td", [
      `<span style="color:${colour[claim.verdict]};white-space:nowrap">${verdictSign[claim.verdict]} ${claim.verdict}</span>`,
      escapeHtml(claim.where),
      escapeHtml(claim.statement) +
        (claim.explanation === undefined ? "" : `<br><small>${escapeHtml(claim.explanation)}</small>`),
      escapeHtml(publishedText(claim)),
      escapeHtml(measuredText(claim)),
      escapeHtml(claim.expected),
    ]),
  );
  const head = cells("th", ["Verdict", "Where", "Claim", "Published", "Measured ± s.e.", "Expected"]);
  return `<table><thead>${head}</thead><tbody>${rows.join("")}</tbody></table>`;
}

/** The claims as lines of text. */
export function claimsText(claims: readonly Claim[]): string {
  if (claims.length === 0) return "This notebook states no claim.";
  return claims
    .map((claim) => {
      const lines = [`${verdictSign[claim.verdict]} ${claim.verdict}: ${claim.statement} [${claim.where}]`];
      if (claim.verdict !== "skipped") lines.push(`  measured ${measuredText(claim)}, expected ${claim.expected}`);
      if (claim.published) lines.push(`  published ${publishedText(claim)}`);
      if (claim.explanation !== undefined) lines.push(`  ${claim.explanation}`);
      return lines.join("\n");
    })
    .join("\n");
}
