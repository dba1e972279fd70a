"""Parts of documents that scripts write: between the lines `<!-- NAME -->` and `<!-- /NAME -->`."""

import re


class Missing(Exception):
    """A document has no such part, or several."""


def replaced(path, name, text):
    """The document with another text in its part; nothing is written."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    document = path.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(start) + r"\n.*?" + re.escape(end), re.S)
    if len(pattern.findall(document)) != 1:
        raise Missing(f"{path.name} has no lines {start} and {end} to write between.")
    return pattern.sub(lambda _: f"{start}\n{text}\n{end}", document)


def write(path, name, text):
    path.write_text(replaced(path, name, text), encoding="utf-8")
