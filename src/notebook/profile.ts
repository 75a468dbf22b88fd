/** How much a run may spend; the code path is the same in each, only the budgets differ. */
export type Profile = "quick" | "standard" | "full";

/** The profiles, cheapest first. */
export const profiles: readonly Profile[] = ["quick", "standard", "full"];

/**
 * Reads a profile's name.
 *
 * @throws Error if `name` is none of `quick`, `standard` and `full`.
 */
export function parseProfile(name: string): Profile {
  const found = profiles.find((profile) => profile === name);
  if (found === undefined) throw new Error(`Unknown profile "${name}": use quick, standard or full.`);
  return found;
}

/** True if `profile` spends at least as much as `minimum`. */
export function profileReaches(profile: Profile, minimum: Profile): boolean {
  return profiles.indexOf(profile) >= profiles.indexOf(minimum);
}
