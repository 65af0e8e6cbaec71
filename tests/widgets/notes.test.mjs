import assert from "node:assert/strict";
import { test } from "node:test";
import { noteIn } from "../../nbserver/widgets/js/notes.js";

test("a sentence of the kernel's is said in Chinese, with its numbers, and a sentence in a sentence too", () => {
  assert.equal(noteIn("zh", "the client closed"), "客户端关闭了连接");
  assert.equal(noteIn("zh", "it was idle for 0.5 s, the most allowed"), "空闲了 0.5 秒，已达上限");
  assert.equal(noteIn("zh", "no TLS handshake: it does not speak TLS"), "TLS 握手失败：它讲的不是 TLS");
  assert.equal(noteIn("zh", "TLS to the client: ServerHello, 2 encrypted (1210 bytes)"), "TLS 发往客户端：ServerHello, 2 encrypted（1210 字节）");
});

test("what is not known is shown as it is, and so is everything in English", () => {
  for (const note of ["ValueError: the client closed", "", "it was idle for  s?", "speaks\nHTTP", "$& {} \\"]) assert.equal(noteIn("zh", note), note);
  assert.equal(noteIn("en", "the client closed"), "the client closed");
  assert.equal(noteIn("zh", "speaks $& {}"), "讲的是 $& {}", "a value is not looked through again");
});
