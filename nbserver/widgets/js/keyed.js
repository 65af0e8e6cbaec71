// A list of elements that follows a list of data: what stays is kept, and with it the focus.

/** `make(key)` gives {element, show(one, …)}. Returns the function that follows a list. */
export function makeKeyed(container, keyOf, make) {
  const items = new Map();
  return (list, ...rest) => {
    const keys = new Set(list.map(keyOf));
    for (const [key, item] of items) if (!keys.has(key)) { item.element.remove(); items.delete(key); }
    list.forEach((one, i) => {
      const key = keyOf(one);
      if (!items.has(key)) items.set(key, make(key));
      const item = items.get(key);
      if (container.children[i] !== item.element) container.insertBefore(item.element, container.children[i] ?? null);
      item.show(one, ...rest);
    });
  };
}
