// Steering the time line: by pointer on its canvas, by keys on what scrolls it. What that does is timeline.js's.
import { moveTo } from "./list.js";

const DRAG = 4; // pixels from which on a click is a drag

/** `act`: choose(y), drag(pixels, from) with `from` of begin(), point(x, y), leave(), zoom(direction, x). */
export function followPointer(canvas, act) {
  let down = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down = { x: event.offsetX, from: act.begin(), isDrag: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down) { act.point(event.offsetX, event.offsetY); return; }
    if (Math.abs(event.offsetX - down.x) > DRAG) down.isDrag = true;
    if (down.isDrag) act.drag(event.offsetX - down.x, down.from);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (down && !down.isDrag) act.choose(event.offsetY);
    down = null;
  });
  for (const name of ["pointercancel", "pointerleave"]) canvas.addEventListener(name, () => { down = null; act.leave(); });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls
    event.preventDefault();
    act.zoom(Math.sign(event.deltaY), event.offsetX);
  }, { passive: false });
}

/** `act`: zoom(direction), pause(), shift(share of what is shown), toNow(), where() → {at, count, page} of the lanes, choose(index). */
export function followLaneKeys(scroller, act) {
  const keys = {
    "+": () => act.zoom(-1), "=": () => act.zoom(-1), "-": () => act.zoom(1), " ": act.pause,
    ArrowLeft: () => act.shift(-1 / 8), ArrowRight: () => act.shift(1 / 8), n: act.toNow, N: act.toNow,
  };
  scroller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { at, count, page } = act.where();
    const target = moveTo(event.key, at, count, page);
    if (target === undefined && !keys[event.key]) return;
    event.preventDefault();
    if (target === undefined) keys[event.key]();
    else if (count) act.choose(target);
  });
}
