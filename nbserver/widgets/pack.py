"""Packs ES modules into one string, in Python and without a build step.

anywidget takes a widget's JavaScript as one string. Ours is many small modules, so the string carries each module's
source, makes a `blob:` URL of it in the page, and points the imports at those URLs. They stay real modules: two of them
may use one name, which plain concatenation does not survive, and each keeps its own name in the browser's debugger.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

_IMPORT = re.compile(
    r"""^(?P<head>\s*(?:(?:import|export)\b[^"';]*?\bfrom\s*|import\s*))(?P<quote>["'])(?P<name>[^"'\n]+)(?P=quote)""",
    re.MULTILINE,
)
_LOADER = """\
const sources = {sources};
const urls = {{}};
for (const [name, source] of Object.entries(sources)) {{
  const linked = source.replace(/"nbserver:([^"]+)"/g, (_, other) => JSON.stringify(urls[other]));
  urls[name] = URL.createObjectURL(new Blob([linked], {{ type: "text/javascript" }}));
}}
const entry = await import(urls[{entry}]);
for (const url of Object.values(urls)) URL.revokeObjectURL(url);
export default entry.default;
"""


def pack(entry: Path) -> str:
    """Packs a module and all that it imports into one ES module with the same default export.

    Args:
        entry: The module to begin with. Imports are relative, `./x.js` or `../x.js`, in any module.

    Returns:
        The text of one ES module.

    Raises:
        FileNotFoundError: A module imports a file that is not there.
        ValueError: An import is not relative, or modules import each other in a circle.
    """
    entry = entry.resolve()
    sources: dict[str, str] = {}
    _collect(entry, entry.parent, sources, ())
    # `</` would end a script element, should a page ever carry this text inside one.
    text = json.dumps(sources, ensure_ascii=False).replace("</", "<\\/")
    return _LOADER.format(sources=text, entry=json.dumps(_name(entry, entry.parent)))


def _collect(module: Path, root: Path, sources: dict[str, str], path: tuple[Path, ...]) -> None:
    """Adds a module to `sources`, after everything that it imports: a URL must exist before it is imported."""
    if module in path:
        raise ValueError("modules import each other: " + " -> ".join(step.name for step in (*path, module)))
    if _name(module, root) in sources:
        return

    def link(match: re.Match[str]) -> str:
        target = _resolve(module, match["name"])
        _collect(target, root, sources, (*path, module))
        return f'{match["head"]}"nbserver:{_name(target, root)}"'

    linked = _IMPORT.sub(link, module.read_text("utf-8"))
    sources[_name(module, root)] = f"{linked}\n//# sourceURL=nbserver/{_name(module, root)}\n"


def _resolve(module: Path, name: str) -> Path:
    if not name.startswith(("./", "../")):
        raise ValueError(f"{module.name} imports {name!r}: only relative imports can be packed")
    target = (module.parent / name).resolve()
    if not target.is_file():
        raise FileNotFoundError(f"{module.name} imports {name!r}, and {target} is not there")
    return target


def _name(module: Path, root: Path) -> str:
    return module.relative_to(root).as_posix() if module.is_relative_to(root) else module.as_posix()
