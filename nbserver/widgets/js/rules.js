// Answers in place of the person: the rules of the server, each with its switch and its count, and the line that adds one.
import { makeDisclosure } from "./disclosure.js";
import { attribute, attributes, h, peerText, text, tokenNodes } from "./dom.js";
import { grouped } from "./format.js";
import { tokens } from "./text.js";

const LONGEST = 500; // characters, as the kernel allows

/** What the head's button says: how many rules are on. */
export function rulesLabel(rules, words) {
  const count = rules.filter((rule) => rule.isOn).length;
  return count ? words(count === 1 ? "ruleOn" : "rulesOn", { count }) : words("rules");
}

/** One rule as a sentence, with its switch and what removes it. A rule never changes but for `isOn` and `answered`. */
function makeRule(hub, rule) {
  const { number } = rule;
  const ask = (request) => hub.desk.act({ ...request, rule: number });
  const flip = h("button", { class: "nbs-switch", type: "button", role: "switch", onClick: () => ask({ do: "change_rule", on: flip.getAttribute("aria-checked") !== "true" }) });
  const [when, then, answered] = ["nbs-rulewhen", "nbs-rulethen", "nbs-ruleanswered"].map((name) => h("span", { class: name }));
  const [contains, answer] = [peerText("", { class: "nbs-ruletext" }), peerText("", { class: "nbs-ruletext" })];
  const remove = h("button", { class: "nbs-button is-quiet", type: "button", onClick: () => ask({ do: "remove_rule" }) }, "×");
  const sentence = h("span", { class: "nbs-rulesentence" }, when, " ", contains, " ", then, " ", answer);
  const element = h("li", { class: "nbs-rule" }, flip, h("b", {}, String(number)), sentence, answered, remove);
  let language = "";
  return {
    element,
    show({ isOn, answered: count }, words) {
      attributes(flip, { "aria-checked": String(isOn), "aria-label": words("ruleSwitch", { number }) });
      text(flip, words(isOn ? "on" : "off"));
      element.classList.toggle("is-off", !isOn);
      text(answered, words("ruleAnswered", { count: grouped(count) }));
      if (language === hub.settings.language()) return;
      language = hub.settings.language();
      text(when, words("ruleWhen"));
      text(then, words("ruleThen"));
      contains.replaceChildren(...(rule.contains === "" ? [h("i", {}, words("ruleAnything"))] : tokenNodes(tokens(rule.contains), words)));
      answer.replaceChildren(...tokenNodes(tokens(rule.answer), words));
      attributes(remove, { "aria-label": words("ruleRemove", { number }), title: words("ruleRemove", { number }) });
    },
  };
}

/** The line in which a rule is written. */
function makeForm(hub) {
  const box = () => h("input", { class: "nbs-box", type: "text", maxlength: LONGEST, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const [contains, answer, when, then] = [box(), box(), h("span"), h("span")];
  const add = h("button", { class: "nbs-button is-primary", type: "submit" });
  const hint = h("p", { class: "nbs-rulehint" });
  const element = h("form", { class: "nbs-ruleform", onSubmit: submit }, h("label", {}, when, contains), h("label", {}, then, answer), add);

  async function submit(event) {
    event.preventDefault();
    if (answer.value === "") { answer.focus(); return; } // Enter in the first box leads to the second
    const written = { contains: contains.value, answer: answer.value };
    if (!await hub.desk.act({ do: "add_rule", ...written })) return;
    if (contains.value === written.contains && answer.value === written.answer) contains.value = answer.value = "";
    contains.focus();
  }

  return {
    elements: [element, hint],
    focus: () => contains.focus(),
    show(words) {
      text(when, words("ruleWhen"));
      text(then, words("ruleThen"));
      text(add, words("ruleAdd"));
      attribute(contains, "placeholder", words("ruleAnything"));
      text(hint, words("ruleHint", { text: "{text}" }));
    },
  };
}

export function makeRules(hub) {
  const [title, list, form] = [h("b"), h("ol", { class: "nbs-rulelist" }), makeForm(hub)];
  const disclosure = makeDisclosure(hub, "rules", title, h("div", { class: "nbs-rules" }, list, ...form.elements));
  const made = new Map(); // number → what makeRule gave

  function remove(number) {
    const { element } = made.get(number);
    const hadFocus = element.contains(document.activeElement);
    const next = (element.nextElementSibling ?? element.previousElementSibling)?.lastElementChild;
    element.remove();
    made.delete(number);
    if (hadFocus) next ? next.focus() : form.focus();
  }

  return {
    button: disclosure.button, panel: disclosure.panel,
    show(rules, words) {
      disclosure.show({ label: rulesLabel(rules, words), title: words("rules"), words });
      if (!disclosure.isOpen()) return;
      text(title, words("rules"));
      form.show(words);
      const numbers = new Set(rules.map((rule) => rule.number));
      for (const number of [...made.keys()]) if (!numbers.has(number)) remove(number);
      for (const rule of rules) {
        if (!made.has(rule.number)) {
          made.set(rule.number, makeRule(hub, rule));
          list.append(made.get(rule.number).element);
        }
        made.get(rule.number).show(rule, words);
      }
    },
  };
}
