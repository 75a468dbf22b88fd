import { bar, formatDuration, isInteractive, liveLines, paint } from "../terminal.js";

/** What a step of the set-up says while it runs. */
export interface StepProgress {
  /** What it is doing now, and how far it is (a fraction), where that is known. */
  report(activity: string, fraction?: number): void;
}

/**
 * Runs one step of the set-up, with a line that is redrawn in place on a terminal, and one line at its end on every stream.
 *
 * @param work returns what the last line says after the step's name, for instance a version.
 */
export async function runStep<T extends { readonly summary: string; readonly ok?: boolean }>(
  name: string,
  work: (progress: StepProgress) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const lines = liveLines(process.stderr);
  let activity = "";
  let fraction: number | undefined;
  const redraw = (): void => {
    const progress =
      fraction === undefined ? "" : `${bar(fraction)} ${String(Math.floor(fraction * 100)).padStart(3)} % `;
    lines.set([`  ${name}: ${progress}${activity} ${paint("dim", `(${formatDuration(elapsed())})`, process.stderr)}`]);
  };
  if (!isInteractive(process.stderr)) process.stderr.write(`… ${name}\n`);
  const ticking = setInterval(redraw, 250);
  try {
    const result = await work({
      report(now, done) {
        activity = now;
        fraction = done;
        redraw();
      },
    });
    lines.clear();
    const mark = result.ok === false ? paint("yellow", "!", process.stderr) : paint("green", "✓", process.stderr);
    process.stderr.write(`${mark} ${name}: ${result.summary} (${formatDuration(elapsed())})\n`);
    return result;
  } catch (error) {
    lines.clear();
    process.stderr.write(`${paint("red", "✗", process.stderr)} ${name}\n`);
    throw error;
  } finally {
    clearInterval(ticking);
  }
}
