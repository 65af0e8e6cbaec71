import assert from "node:assert/strict";
import { test } from "node:test";
import { binaryBytes, bytes, clock, count, duration, grouped, hexDump, shortPeer, sparkPoints, splitTraceback } from "../../nbserver/widgets/js/format.js";

test("bytes and counts", () => {
  assert.deepEqual([0, 999, 1000, 25_300, 1_048_576, 3e9].map(bytes), ["0 B", "999 B", "1.0 kB", "25 kB", "1.0 MB", "3.0 GB"]);
  assert.deepEqual([7, 9999, 12_345, 250_000, 2_500_000].map(count), ["7", "9999", "12.3k", "250k", "2.5M"]);
});

test("limits are said exactly, in powers of two", () => {
  assert.deepEqual([100, 1024, 2 ** 18, 2 ** 26, 1.5 * 2 ** 30, 2 ** 40].map(binaryBytes), ["100 B", "1 KiB", "256 KiB", "64 MiB", "1.5 GiB", "1,024 GiB"]);
  assert.deepEqual([60, 1000, 0.5].map(grouped), ["60", "1,000", "0.5"]);
});

test("durations", () => {
  assert.deepEqual([-1, 0.9, 59, 60, 185, 7800].map(duration), ["0 s", "0 s", "59 s", "1 m 00 s", "3 m 05 s", "2 h 10 m"]);
});

test("a time of day has milliseconds", () => assert.match(clock(1_760_000_000.0625), /^\d\d:\d\d:20\.063$|^\d\d:\d\d:20\.062$/));

test("on this machine the port says enough, elsewhere the whole address stays", () => {
  assert.deepEqual(["127.0.0.1:40002", "[::1]:40002", "192.168.1.7:5", "/tmp/socket", "127.0.0.1:8<b>"].map(shortPeer),
    [":40002", ":40002", "192.168.1.7:5", "/tmp/socket", "127.0.0.1:8<b>"]);
});

test("the last line of a traceback says what", () => {
  assert.equal(splitTraceback("Traceback:\n  x\nValueError: no\n\n").summary, "ValueError: no");
  assert.equal(splitTraceback("").summary, "");
});

test("a spark line stays in its box", () => {
  assert.equal(sparkPoints([0, 5, 10], 20, 10), "0.0,10.0 10.0,5.0 20.0,0.0");
  assert.equal(sparkPoints([0, 0], 10, 10), "0.0,10.0 10.0,10.0");
});

test("a hex dump shows offset, bytes and letters, and tells what it leaves out", () => {
  const dump = hexDump(Uint8Array.from({ length: 20 }, (_, i) => 0x3c + i), 16);
  assert.equal(dump, "0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK\n… +4");
});
