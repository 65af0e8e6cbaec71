import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { makeFinding, pieces } from "../../nbserver/widgets/js/finding.js";
import { speak } from "../../nbserver/widgets/js/words.js";

let asked, timers, time, life, finding;
const runTimers = () => timers.splice(0).forEach((timer) => timer?.());
const answer = async (ack) => { asked.shift().resolve(ack); await new Promise((done) => setImmediate(done)); };

beforeEach(() => {
  [asked, timers, time, life] = [[], [], 0, "life"];
  finding = makeFinding({
    wish: (request) => new Promise((resolve) => asked.push({ ...request, resolve })),
    changed: () => {}, life: () => life, clock: () => time,
    later: (act) => timers.push(act), forget: (timer) => { timers[timer - 1] = undefined; },
  });
});

test("hits are cut out of a text, in small and capital letters", () => {
  assert.deepEqual(pieces("Hello, hello", "hello"), ["", "Hello", ", ", "hello", ""]);
  assert.deepEqual(pieces("aaa", "aa"), ["", "aa", "a"]);
  assert.deepEqual(pieces("nothing", "x"), ["nothing"]);
  assert.deepEqual(pieces("İstanbul", "istanbul"), ["İstanbul"], "places in the small form are not those in the text");
});

test("the kernel is asked once, for the last of what was typed", async () => {
  for (const typed of ["h", "he", " Hel "]) finding.set(typed);
  runTimers();
  assert.deepEqual(asked.map(({ do: what, text }) => [what, text]), [["find", "hel"]]);
  assert.equal(finding.isAnswered(), false);
  await answer({ ok: true, found: [3] });
  assert.deepEqual([finding.isAnswered(), [...finding.said()]], [true, [3]]);
  finding.set("other");
  assert.deepEqual([finding.isAnswered(), [...finding.said()]], [false, []], "hits of another text are none");
});

test("an answer that comes too late for its text is not taken, and the kernel is asked again", async () => {
  finding.set("first");
  runTimers();
  finding.set("second");
  runTimers();
  assert.equal(asked.length, 1, "one question at a time");
  await answer({ ok: true, found: [1] });
  assert.deepEqual([[...finding.said()], asked[0].text], [[], "second"]);
});

test("it is asked again when something was said, but not all the time", async () => {
  finding.set("x");
  runTimers();
  time = 1;
  await answer({ ok: true, found: [1] });
  const askedAt = (at, mark) => { time = at; finding.renew(mark); return asked.length; };
  assert.deepEqual([askedAt(20, "a"), askedAt(22, "a")], [0, 1], "it took a second: the kernel has twenty for itself");
  await answer({ ok: true, found: [1, 2] });
  assert.deepEqual([...finding.said()], [1, 2]);
  assert.deepEqual([askedAt(90, "a"), askedAt(90, "b")], [0, 1]);
  await answer({ ok: false, code: "refused", error: "" });
  assert.deepEqual([...finding.said()], [1, 2], "what is known stays");
});

test("in another life it is asked anew", async () => {
  finding.set("x");
  runTimers();
  await answer({ ok: true, found: [1] });
  life = "other";
  assert.deepEqual([...finding.said()], []);
  finding.renew("");
  assert.equal(asked.length, 1);
});

test("a row is looked at once, and again in another language", () => {
  const words = speak("en");
  let looks = 0;
  const row = { id: 3, state: "failed", preview: "", prompt: null, speaks: "", note: "", get peer() { looks += 1; return "here:1"; } };
  finding.set("HERE");
  assert.deepEqual([1, 2].map(() => finding.isShownIn(row, words, "en")), [true, true]);
  assert.equal(looks, 1);
  finding.isShownIn(row, speak("zh"), "zh");
  assert.equal(looks, 2);
  finding.set("#3");
  assert.equal(finding.isShownIn(row, words, "en"), true);
});
