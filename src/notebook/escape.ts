/** Text made safe for where it goes. */

const html: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const tex: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "±": "$\\pm$",
  "−": "$-$",
  "–": "--",
  "∞": "$\\infty$",
  "≤": "$\\le$",
  "≥": "$\\ge$",
  "×": "$\\times$",
  "→": "$\\to$",
};

/** For HTML text and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => html[character]!);
}

/** For running text in LaTeX. */
export function escapeTex(text: string): string {
  return text.replace(/[\\{}$&#%_^~<>±−–∞≤≥×→]/g, (character) => tex[character]!);
}

/** For a cell of a Markdown table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/([\\|*_`[\]<>])/g, "\\$1").replace(/\r?\n/g, " ");
}

/** For one field of a CSV file (RFC 4180). */
export function escapeCsv(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replace(/"/g, '""')}"` : text;
}

/** JSON that may stand in a `<script>`: no `</script>`, no `<!--`, no line separators that end a JavaScript string. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, "\\u003c")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}
