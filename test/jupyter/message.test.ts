import { describe, expect, it } from "vitest";
import { answer, decode, encode, MessageError, newHeader } from "../../src/jupyter/message.js";

const request = {
  identities: [Buffer.from("client")],
  header: newHeader("execute_request", "session", "me"),
  parent: {},
  metadata: {},
  content: { code: "𝒩 = 1" },
  buffers: [Buffer.from([0, 255])],
};

const frames = (key: string): Buffer[] => encode(request, key).map((part) => Buffer.from(part));

describe("messages", () => {
  it("survive the wire", () => {
    expect(decode(frames("key"), "key")).toEqual(request);
  });

  it("are refused under another key, or when any part was changed", () => {
    expect(() => decode(frames("key"), "other")).toThrow(MessageError);
    for (const index of [3, 4, 5, 6]) {
      const changed = frames("key");
      changed[index] = Buffer.from(changed[index]!.toString().replace("{", '{"a":1,').replace(",}", "}"));
      expect(() => decode(changed, "key")).toThrow("wrong signature");
    }
  });

  it("are refused when parts are missing or are no objects", () => {
    expect(() => decode([Buffer.from("x")], "key")).toThrow(MessageError);
    expect(() => decode(frames("key").slice(0, 6), "key")).toThrow("too few parts");
    const unsigned = frames("");
    unsigned[6] = Buffer.from("[1]");
    expect(() => decode(unsigned, "")).toThrow("no JSON object");
  });

  it("answer to their request", () => {
    const reply = answer(request, "execute_reply", { status: "ok" });
    expect(reply.parent).toEqual(request.header);
    expect(reply.identities).toEqual(request.identities);
    expect(reply.header.msg_id).not.toBe(request.header.msg_id);
  });
});
