import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { isJsonObject, type JsonObject, stringField } from "./json.js";

/** The version of the Jupyter messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = "5.3";

/** The header of a Jupyter message. */
export interface Header {
  readonly msg_id: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly msg_type: string;
  readonly version: string;
}

/** A Jupyter message, decoded. */
export interface Message {
  /** Routing prefix of a request; a reply carries the same. */
  readonly identities: readonly Buffer[];
  readonly header: Header;
  /** Header of the request that a message answers, empty where there is none. */
  readonly parent: Header | Record<string, never>;
  readonly metadata: JsonObject;
  readonly content: JsonObject;
  readonly buffers: readonly Buffer[];
}

/** A message that must not be acted on: not signed with our key, or malformed. */
export class MessageError extends Error {
  override readonly name: string = "MessageError";
}

const DELIMITER = Buffer.from("<IDS|MSG>");

/** Signature of a message: HMAC-SHA256 over its four JSON parts, in hexadecimal; empty for an empty key (unsigned). */
export function sign(key: string, parts: readonly (Buffer | string)[]): string {
  if (key === "") return "";
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

/**
 * Decodes the frames of a message and verifies its signature before looking at what it says.
 *
 * @throws MessageError if the delimiter, a part or the right signature is missing.
 */
export function decode(frames: readonly Buffer[], key: string): Message {
  const delimiter = frames.findIndex((frame) => frame.equals(DELIMITER));
  if (delimiter < 0 || frames.length < delimiter + 6) throw new MessageError("a message of too few parts");
  const parts = frames.slice(delimiter + 2, delimiter + 6);
  const given = frames[delimiter + 1]!;
  const expected = Buffer.from(sign(key, parts));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new MessageError("a message with a wrong signature");
  }
  const [header, parent, metadata, content] = parts.map(parsePart);
  return {
    identities: frames.slice(0, delimiter),
    header: asHeader(header!),
    parent: Object.keys(parent!).length === 0 ? {} : asHeader(parent!),
    metadata: metadata!,
    content: content!,
    buffers: frames.slice(delimiter + 6),
  };
}

/** Encodes a message into signed frames. */
export function encode(message: Message, key: string): (Buffer | string)[] {
  const parts = [message.header, message.parent, message.metadata, message.content].map((part) => JSON.stringify(part));
  return [...message.identities, DELIMITER, sign(key, parts), ...parts, ...message.buffers];
}

/** A new message of the given type that answers (or belongs to) `request`, in the same session. */
export function answer(request: Message, type: string, content: JsonObject): Message {
  return {
    identities: request.identities,
    header: newHeader(type, request.header.session, request.header.username),
    parent: request.header,
    metadata: {},
    content,
    buffers: [],
  };
}

/** A new header with a fresh id and the time. */
export function newHeader(type: string, session: string, username: string): Header {
  return {
    msg_id: randomUUID(),
    session,
    username,
    date: new Date().toISOString(),
    msg_type: type,
    version: PROTOCOL_VERSION,
  };
}

function parsePart(part: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(part.toString("utf8"));
    if (isJsonObject(value)) return value;
  } catch {
    // Reported below, as is JSON that is no object.
  }
  throw new MessageError("a message with a part that is no JSON object");
}

function asHeader(value: JsonObject): Header {
  return {
    msg_id: stringField(value, "msg_id"),
    session: stringField(value, "session"),
    username: stringField(value, "username"),
    date: stringField(value, "date"),
    msg_type: stringField(value, "msg_type"),
    version: stringField(value, "version"),
  };
}
