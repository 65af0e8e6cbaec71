import assert from "node:assert/strict";
import { test } from "node:test";
import { noteChanges, replyCode } from "../../nbserver/widgets/js/inspector.js";

const since = (known) => Object.fromEntries([...known].map(([name, one]) => [name, one.since]));

test("what is seen first has not changed; a new value has, and so has an attribute that was set later", () => {
  const known = new Map();
  noteChanges(known, [["self.a", "int", "1", ""]], 10);
  assert.deepEqual(since(known), { "self.a": -Infinity });
  noteChanges(known, [["self.a", "int", "1", ""], ["self.b", "int", "1", ""]], 11);
  assert.deepEqual(since(known), { "self.a": -Infinity, "self.b": 11 });
  noteChanges(known, [["self.a", "int", "2", ""], ["self.b", "int", "1", ""]], 12);
  assert.deepEqual(since(known), { "self.a": 12, "self.b": 11 });
});

test("how a program replies", () => {
  assert.equal(replyCode("stream", [["self.request"]]), "self.request.sendall(data)");
  assert.equal(replyCode("datagram", [["self.request"]]), "self.request[1].sendto(data, self.client_address)");
  assert.equal(replyCode("datagram", [["self.wfile"]]), "self.wfile.write(data)");
});
