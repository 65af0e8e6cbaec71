// One look of a view (PROTOCOL.md): asked for while somebody sees it, and told again whenever it has changed.

/** `of(id)` gives what the kernel told last of connection `id` (0 for the server as a whole), or undefined; null is "nothing to see". */
export function makeLook(store, at) {
  let [shown, stop] = [null, () => {}];
  function close() {
    stop();
    [shown, stop] = [null, () => {}];
  }
  return {
    close,
    of(id) {
      const number = id ?? 0;
      if (number !== shown) {
        stop();
        [shown, stop] = [number, store.watchLook(at, number)];
      }
      return store.look(at, number);
    },
  };
}
