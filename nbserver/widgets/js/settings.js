// What the person chose for this board, kept in the hub's traits so that every view and every tab has it.
import { ENCODINGS } from "./encodings.js";
import { pickLanguage, speak } from "./words.js";

const SCALES = [0.85, 1, 1.2, 1.45, 1.7, 2, 2.4];

/** The next size up or down from a scale, which need not be one of ours. */
export function stepScale(scale, direction) {
  if (direction > 0) return SCALES.find((size) => size > scale + 0.01) ?? SCALES.at(-1);
  return SCALES.findLast((size) => size < scale - 0.01) ?? SCALES[0];
}

export function makeSettings(model, changed) {
  model.on("change:lang", changed);
  model.on("change:scale", changed);
  model.on("change:encoding", changed);
  model.on("change:hex", changed);
  model.on("change:contrast", changed);
  const save = (name, value) => {
    model.set(name, value);
    model.save_changes();
    changed();
  };
  const language = () => pickLanguage(model.get("lang"), document.documentElement.lang, navigator.language);
  return {
    language,
    scale: () => model.get("scale") || 1,
    words: () => speak(language()),
    encoding: () => model.get("encoding") || ENCODINGS[0],
    isHex: () => model.get("hex") === true,
    readAs: (encoding) => save("encoding", encoding),
    toggleHex: () => save("hex", model.get("hex") !== true),
    chosenLanguage: () => model.get("lang"),
    isHighContrast: () => model.get("contrast") === "high",
    step: (direction) => save("scale", stepScale(model.get("scale") || 1, direction)),
    resetScale: () => save("scale", 1),
    setContrast: (isHigh) => save("contrast", isHigh ? "high" : ""),
    setLanguage: (name) => save("lang", name),
    toggleLanguage: () => save("lang", language() === "zh" ? "en" : "zh"),
  };
}
