"""Parts of documents that scripts write: between the lines `<!-- NAME -->` and `<!-- /NAME -->`."""

import re


class Missing(Exception):
    """A document has no such part, or several."""


def replaced_in(document, told, name, text):
    """A document with another text in its part; `told` is what the document is called."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(re.escape(start) + r"\n.*?" + re.escape(end), re.S)
    if len(pattern.findall(document)) != 1:
        raise Missing(f"{told} has no lines {start} and {end} to write between.")
    return pattern.sub(lambda _: f"{start}\n{text}\n{end}", document)


def write(path, name, text):
    document = path.read_text(encoding="utf-8")
    path.write_text(replaced_in(document, path.name, name, text), encoding="utf-8")
