/** Progress of a long computation: one line updated in place in a notebook, a bar in a terminal, silent in CI; and a live training curve. */
import { displayUpdatable, inNotebook, type MimeBundle, type UpdatableDisplay } from "./display.js";
import { vegaLiteMimeType, vegaLiteSchema } from "./figure.js";
import { formatMeasured } from "./measured.js";
import { fitWidth, rasterise, renderSvg, withTheme } from "./render.js";
import type { ChartSpec } from "./spec.js";
import { figureWidths, pixelsPerInch } from "./theme.js";

/** How far a computation is. */
export interface Step {
  /** Steps done. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
}

/** How far a training is. */
export interface TrainingStep extends Step {
  /** The objective, or its negative, at this step. */
  readonly value: number;
  /** Seconds since the start. */
  readonly seconds: number;
}

/** A progress line: call it after each step; the last step, or `done`, completes it. */
export interface Progress {
  (at: Step): void;
  /** Completes the line where the computation stopped. */
  done(): void;
}

/** A live curve: call it after each training step. */
export interface LiveTrace {
  (at: TrainingStep): void;
  /** Draws the last state where the training stopped early; {@link Notebook.finish} does it for those not done. */
  done(): Promise<void>;
}

/** Options of {@link Notebook.liveTrace}. */
export interface TraceOptions {
  /** Title of the value's axis (default: the trace's title). */
  readonly valueTitle?: string;
}

const interval = 500;
const barLength = 24;

/** Seconds as `4.2 s`, `3 min 05 s` or `2 h 07 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "…";
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (n: number): string => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** One line: `label  [████░░]  40 %  12/30  3.1/s  6 s left`. */
export function progressLine(label: string, { step, steps }: Step, seconds: number): string {
  const share = steps > 0 ? Math.min(1, Math.max(0, step / steps)) : 0;
  const filled = Math.round(share * barLength);
  const bar = "█".repeat(filled) + "░".repeat(barLength - filled);
  const rate = seconds > 0 ? step / seconds : 0;
  const speed = rate >= 1 || rate === 0 ? `${formatMeasured(rate, undefined, 3)}/s` : `${duration(1 / rate)} each`;
  const time = step >= steps ? duration(seconds) : `${duration((steps - step) / rate)} left`;
  return `${label}  ${bar}  ${Math.floor(share * 100)} %  ${step}/${steps}  ${speed}  ${time}`;
}

/** Where a line goes that replaces the one before. */
interface Line {
  write(text: string, last: boolean): void;
}

function lineTo(): Line {
  if (process.env.CI) return { write: () => undefined };
  if (inNotebook()) {
    let shown: UpdatableDisplay | undefined;
    return {
      write: (text) => {
        const bundle: MimeBundle = { data: { "text/plain": text } };
        if (shown) shown.update(bundle);
        else shown = displayUpdatable(bundle);
      },
    };
  }
  if (!process.stderr.isTTY) return { write: () => undefined };
  return { write: (text, last) => process.stderr.write(`\r${text}\u001b[K${last ? "\n" : ""}`) };
}

/** Starts a progress line; see {@link Notebook.progress}. */
export function progress(label: string): Progress {
  const line = lineTo();
  const start = performance.now();
  let last: Step | undefined;
  let written = Number.NEGATIVE_INFINITY;
  let complete = false;
  const write = (at: Step, final: boolean): void => {
    const now = performance.now();
    if (complete || (!final && now - written < interval)) return;
    written = now;
    complete = final;
    line.write(progressLine(label, at, (now - start) / 1000), final);
  };
  const report = (at: Step): void => {
    last = at;
    write(at, at.step >= at.steps);
  };
  return Object.assign(report, {
    done: () => {
      if (last) write(last, true);
    },
  });
}

/** Most points that a live curve keeps; every second one is dropped when there are more. */
const mostPoints = 400;

/** Starts a live curve; see {@link Notebook.liveTrace}. @internal */
export function startLiveTrace(title: string, options: TraceOptions): LiveTrace {
  let points: { step: number; value: number }[] = [];
  let stride = 1;
  let calls = 0;
  let last: TrainingStep | undefined;
  let shown: UpdatableDisplay | undefined;
  let written = Number.NEGATIVE_INFINITY;

  const show = (bundle: MimeBundle): void => {
    if (shown) shown.update(bundle);
    else if (inNotebook()) shown = displayUpdatable(bundle);
    written = performance.now();
  };
  const text = (at: TrainingStep): string =>
    `${title}: ${formatMeasured(at.value)} at step ${at.step} of ${at.steps}, ${duration(at.seconds)}`;
  const chart = (at: TrainingStep): ChartSpec => ({
    data: { values: [...points, ...(points.at(-1)?.step === at.step ? [] : [{ step: at.step, value: at.value }])] },
    mark: { type: "line" },
    width: 380,
    height: 160,
    encoding: {
      x: { field: "step", type: "quantitative", title: "step", scale: { domain: [0, at.steps], nice: false } },
      y: { field: "value", type: "quantitative", title: options.valueTitle ?? title, scale: { zero: false } },
    },
  });
  const keep = (at: TrainingStep): void => {
    if (calls++ % stride !== 0 || !Number.isFinite(at.value)) return;
    points.push({ step: at.step, value: Number(at.value.toPrecision(6)) });
    if (points.length <= mostPoints) return;
    points = points.filter((_, i) => i % 2 === 0);
    stride *= 2;
  };
  const bundle = (at: TrainingStep, spec: ChartSpec): MimeBundle => ({
    data: { [vegaLiteMimeType]: { $schema: vegaLiteSchema, ...withTheme(spec) }, "text/plain": text(at) },
    metadata: { [vegaLiteMimeType]: { embed_options: { actions: false } } },
  });

  const report = (at: TrainingStep): void => {
    last = at;
    keep(at);
    if (at.step >= at.steps) void done();
    else if (performance.now() - written >= interval && inNotebook()) show(bundle(at, chart(at)));
  };
  let finishing: Promise<void> | undefined;
  const done = (): Promise<void> => {
    finishing ??= final();
    return finishing;
  };
  // The last state carries images too, for readers who do not run the notebook.
  const final = async (): Promise<void> => {
    const at = last;
    if (at === undefined || !inNotebook()) return;
    const spec = await fitWidth(chart(at), figureWidths.column * pixelsPerInch * 1.5);
    const svg = await renderSvg(spec);
    const png = Buffer.from(await rasterise(svg, pixelsPerInch)).toString("base64");
    const { data, metadata } = bundle(at, spec);
    show({ data: { ...data, "image/svg+xml": svg, "image/png": png }, ...(metadata && { metadata }) });
  };
  return Object.assign(report, { done });
}
