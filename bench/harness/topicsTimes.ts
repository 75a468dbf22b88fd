import { quantile } from "./statistics.js";

/** How far a fit had come: seconds of training, and the held-out score of its topics. */
export type TopicPoint = {
  readonly library: string;
  readonly seed: number;
  readonly passes: number;
  readonly seconds: number;
  /** Mean log-probability of a held-out token, in nats. */
  readonly heldOut: number;
};

/** When a library's fits reached a level: a row of the table. */
export type TopicTimes = {
  readonly library: string;
  readonly level: string;
  readonly heldOut: number;
  /** Seconds of training at the median of the seeds that reached it, and at the extremes. */
  readonly median: number | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly reached: number;
  readonly n: number;
};

/** For each level and library: when the fits reached it, between two checkpoints on a straight line. */
export function timesTo(
  points: readonly TopicPoint[],
  levels: { readonly [level: string]: number },
  n: number,
): TopicTimes[] {
  const libraries = [...new Set(points.map(({ library }) => library))];
  return Object.entries(levels).flatMap(([level, heldOut]) =>
    libraries.map((library) => {
      const own = points.filter((point) => point.library === library);
      const reached = [...new Set(own.map(({ seed }) => seed))]
        .map((seed) =>
          crossing(
            own.filter((point) => point.seed === seed),
            heldOut,
          ),
        )
        .filter((seconds) => seconds !== undefined);
      const [median, least, most] = reached.length > 0 ? [0.5, 0, 1].map((p) => quantile(reached, p)) : [];
      return { library, level, heldOut, median, least, most, reached: reached.length, n };
    }),
  );
}

/** The highest score that all fits reach. */
export function everyFit(points: readonly TopicPoint[]): number {
  const fits = new Map<string, number>();
  for (const { library, seed, heldOut } of points) {
    const fit = `${library} ${seed}`;
    fits.set(fit, Math.max(fits.get(fit) ?? Number.NEGATIVE_INFINITY, heldOut));
  }
  return Math.min(...fits.values());
}

/** The seconds at which one fit reaches the level, if it does. */
export function crossing(
  points: readonly { readonly seconds: number; readonly heldOut: number }[],
  level: number,
): number | undefined {
  const at = points.findIndex(({ heldOut }) => heldOut >= level);
  if (at <= 0) return points[at]?.seconds;
  const [before, after] = [points[at - 1]!, points[at]!];
  const share = (level - before.heldOut) / (after.heldOut - before.heldOut);
  return before.seconds + share * (after.seconds - before.seconds);
}
