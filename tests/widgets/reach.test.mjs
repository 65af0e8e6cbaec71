// What the head of the board says: limits, who can reach the server, and how a browser opens it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFor, baseUrlOf } from "../../nbserver/widgets/js/browser.js";
import { limitLines, limitText } from "../../nbserver/widgets/js/limits.js";
import { qrPath, reachText, typedAddresses } from "../../nbserver/widgets/js/reach.js";
import { speak } from "../../nbserver/widgets/js/words.js";

const [en, zh] = [speak("en"), speak("zh")];

test("a limit is told in words when it bites", () => {
  const told = {
    "": "",
    "full 200 200": "200 of 200 connections: the next ones wait in the backlog",
    "full 200 200 0": "200 of 200 connections: the next ones wait in the backlog",
    "full 200 200 1": "200 of 200 connections: 1 waits in the backlog",
    "full 1000 1000 3": "1,000 of 1,000 connections: 3 wait in the backlog",
    descriptors: "No file descriptors left: trying again",
    "away 12 no token within 30 s": "12 turned away, the last: no token within 30 s",
  };
  for (const [code, words] of Object.entries(told)) assert.equal(limitText(code, en), words);
  assert.equal(limitText("away 12 no token within 30 s", zh), "已拒绝 12 个，最近一个的原因：30 秒内没有出示令牌");
  assert.match(limitText("full 2 2 3", zh), /2 \/ 2 个连接：3 个/);
});

test("limits that are set are told with their units, others not at all", () => {
  assert.deepEqual(limitLines({ transcripts_bytes: 2 ** 26, max_connections: 1000, first_byte_seconds: 60, max_line: null }, en),
    ["at most 1,000 connections", "first byte within 60 s", "64 MiB of transcripts in all"]);
  assert.deepEqual(limitLines({ max_connections: 1, handshake_seconds: 0.5 }, en), ["at most 1 connection", "TLS handshake within 0.5 s"]);
  assert.deepEqual(limitLines({}, zh), []);
});

const server = (more = {}) => ({ address: "0.0.0.0:8008", link: { port: 8008, tls: false, proxy: true }, reach: { zone: "network", addresses: ["192.168.1.7:8008"], token: "" }, ...more });
const LINK = { port: 8008, tls: true, proxy: true };

test("who can reach it is said with what they type", () => {
  const raw = server({ link: null });
  assert.equal(reachText(raw, en), "the same network: type 192.168.1.7:8008");
  assert.equal(reachText(server({ link: LINK }), en), "the same network: type https://192.168.1.7:8008");
  assert.equal(reachText({ ...raw, reach: { zone: "public", addresses: ["203.0.113.5:80"] } }, en), "public: type 203.0.113.5:80");
  assert.equal(reachText({ ...raw, reach: { zone: "network", addresses: [] } }, en), "the network, but this machine has no address in one");
  assert.equal(reachText({ ...raw, reach: { zone: "machine", addresses: ["/tmp/socket"] } }, zh), "仅限本机");
  const machine = (address) => typedAddresses({ link: LINK, reach: { zone: "machine", addresses: [address] } });
  assert.deepEqual(["127.0.0.1:1", "0.0.0.0:1", "[::]:1", "/tmp/0.0.0.0:"].flatMap(machine), ["127.0.0.1:1", "127.0.0.1:1", "[::1]:1", "/tmp/0.0.0.0:"]);
});

test("the dark modules of a QR code, run by run", () => {
  assert.equal(qrPath(["1101", "0000", "0011"]), "M0 0h2v1h-2zM3 0h1v1h-1zM2 2h2v1h-2z");
});

test("a page on this machine opens the port itself, whether there is a proxy or not", () => {
  for (const hostname of ["localhost", "127.0.0.1", "[::1]"]) {
    for (const proxy of [true, false]) {
      const here = { hostname, baseUrl: "/" };
      assert.equal(addressFor(server({ link: { port: 8008, tls: false, proxy } }), here).href, "http://127.0.0.1:8008/");
      assert.equal(addressFor(server({ address: "127.0.0.1:8008", link: { port: 8008, tls: true, proxy } }), here).href, "https://127.0.0.1:8008/");
    }
  }
  const here = { hostname: "localhost", baseUrl: "" };
  assert.equal(addressFor(server({ address: "[::]:8008" }), here).href, "http://[::1]:8008/");
  assert.equal(addressFor(server({ address: "192.168.1.7:8008" }), here).href, "http://192.168.1.7:8008/");
});

test("a page from elsewhere goes through jupyter-server-proxy, or nowhere", () => {
  const [hub, bare] = [{ hostname: "hub.example", baseUrl: "/user/ada" }, { hostname: "hub.example", baseUrl: "" }];
  const without = server({ link: { port: 8008, tls: false, proxy: false } });
  assert.deepEqual(addressFor(server(), hub), { href: "/user/ada/proxy/8008/", why: "" });
  assert.equal(addressFor(server(), { ...hub, baseUrl: "/" }).href, "/proxy/8008/");
  assert.deepEqual(addressFor(server(), bare), { href: "", why: "proxy" });
  assert.deepEqual(addressFor(without, hub), { href: "", why: "proxy" });
  assert.deepEqual(addressFor(server({ address: "192.168.1.7:8008" }), hub), { href: "", why: "proxy" }, "the proxy asks localhost");
  assert.deepEqual(addressFor(server({ link: LINK }), hub), { href: "", why: "tls" });
});

test("no address for what speaks no HTTP, and none where a token comes first", () => {
  const here = { hostname: "localhost", baseUrl: "/" };
  assert.equal(addressFor(server({ link: null }), here), null);
  assert.deepEqual(addressFor(server({ reach: { zone: "machine", addresses: [], token: "abcdefgh" } }), here), { href: "", why: "token" });
});

test("the notebook server's base address, from each host's page", () => {
  const page = (settings, dataset = {}) => ({ getElementById: (id) => (id === "jupyter-config-data" && settings ? { textContent: settings } : null), body: { dataset } });
  assert.equal(baseUrlOf(page('{"baseUrl": "/user/ada/"}', { baseUrl: "/other/" })), "/user/ada/");
  assert.equal(baseUrlOf(page(null, { baseUrl: "/tree/" })), "/tree/");
  assert.equal(baseUrlOf(page("{no json")), "");
  assert.equal(baseUrlOf(page(null)), "");
});
