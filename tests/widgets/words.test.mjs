import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { LANGUAGES, pickLanguage, speak } from "../../nbserver/widgets/js/words.js";

const folder = new URL("../../nbserver/widgets/js/", import.meta.url);
const sources = readdirSync(folder).filter((name) => name !== "words.js").map((name) => readFileSync(new URL(name, folder), "utf-8")).join("\n");
const isNamedAsProperty = (key) => new RegExp(`\\b${key}: button\\(`).test(sources); // the header's buttons carry their word's key
const blanks = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test("both languages say the same things, with the same blanks", () => {
  const { en, zh } = LANGUAGES;
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) assert.deepEqual(blanks(zh[key]), blanks(en[key]), key);
});

test("every word is used, and every word that is used exists", () => {
  const plain = [...sources.matchAll(/words\("([\w.-]+)"/g)].map((match) => match[1]);
  for (const key of plain) assert.ok(key in LANGUAGES.en, key);
  const families = /^(server|state|filter|column|code|fate|chip|limit|limits|link|program|reach|speaks|who|fault|unit|waits|loops|left)\./; // their keys are put together from data
  const isPutTogether = (key) => key.includes(".") && sources.includes(`\`${key.split(".")[0]}.\${`);
  for (const key of Object.keys(LANGUAGES.en)) assert.ok(families.test(key) || isPutTogether(key) || sources.includes(`"${key}"`) || isNamedAsProperty(key), key);
});

test("blanks are filled, and a value is not looked through for blanks again", () => {
  assert.equal(speak("en")("replyTo", { id: 3 }), "Reply to #3");
  assert.equal(speak("en")("notSent", { reason: "{id} $& $1" }), "Not sent: {id} $& $1");
  assert.throws(() => speak("en")("no such word"), /no such word/);
});

test("the language is the one chosen, the page's, or the browser's", () => {
  assert.deepEqual([["zh", "en", "en"], ["", "zh-CN", "en"], ["", "", "zh-TW"], ["", "de", "zh"], ["", "", ""], ["", "en", "zh-CN"], ["en", "zh", "zh"], ["constructor", "", "en"]].map((args) => pickLanguage(...args)), ["zh", "zh", "zh", "en", "en", "zh", "en", "en"]);
});
