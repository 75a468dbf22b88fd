/** A JSON object whose fields are not known yet. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object that is neither `null` nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The string under `key`, or `fallback` where the object holds no string there. */
export function stringField(object: JsonObject, key: string, fallback = ""): string {
  const value = object[key];
  return typeof value === "string" ? value : fallback;
}

/** The number under `key`, or `fallback` where the object holds no number there. */
export function numberField(object: JsonObject, key: string, fallback = 0): number {
  const value = object[key];
  return typeof value === "number" ? value : fallback;
}

/** The boolean under `key`, or `fallback` where the object holds no boolean there. */
export function booleanField(object: JsonObject, key: string, fallback = false): boolean {
  const value = object[key];
  return typeof value === "boolean" ? value : fallback;
}

/** The object under `key`, or an empty one. */
export function objectField(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}
