"""Numbers in texts: what is right is left alone, and what is wrong is found."""

import texts

DOCUMENTS = texts.documents()


def test_the_texts_are_right():
    assert [*texts.board_pages(), *texts.claims(DOCUMENTS), *texts.packages()] == []


def test_wrong_numbers_are_found():
    for name, right, wrong in (
        ("TheLimits.md", "| connections at a time | 1,024", "| connections at a time | 1,025"),
        ("TheLimits.md", "| request target | 8,000", "| request target | 8,123"),
        ("WhatItCosts.md", "x86-64 | `login-example` | ", "x86-64 | `login-example` | 1"),
        ("TheLimits.md", "| uploads at a time | 103", "| uploads at a time | 104"),
        ("TheLimits.md", "| `commandCountMax`, programs at a time | 4", "| `commandCountMax`, programs at a time | 8"),
        ("TheLimits.md", "| `partCountMax`, parts of a form |", "| `partsMax`, parts of a form |"),
        ("TheLimits.md", "of which 7", "of which 8"),
        ("TheLimits.md", "| TLS connections at a time | 16", "| TLS connections at a time | 15"),
        ("TheLimits.md", "and 64 (32, 16) wait", "and 32 (16, 8) wait"),
        ("WhatItCosts.md", "24,576 octets of static memory", "24,577 octets of static memory"),
        ("WhatItCosts.md", "(8 on small boards, 4 on routers)", "(8 on small boards, 2 on routers)"),
        ("WhatItCosts.md", "A connection costs ", "A connection costs 1"),
        ("WhatItCosts.md", "at most 7 uploads", "at most 8 uploads"),
        ("WhatItCosts.md", "103 uploads", "96 uploads"),
        ("WhatItCosts.md", "| `commands-example` | programs of the board | ",
         "| `commands-example` | programs of the board | 1"),
        ("README.md", "up to 103 at a time", "up to 96 at a time"),
        ("README.md", "one file of ", "one file of 1"),
        ("README.md", "**Files** on x86-64: ", "**Files** on x86-64: 1"),
        ("README.md", "| `pi0` | Raspberry Pi Zero, Zero W and 1 | ",
         "| `pi0` | Raspberry Pi Zero, Zero W and 1 | 1")):
        text = DOCUMENTS[name]
        assert right in text
        assert list(texts.CLAIMS[name](text.replace(right, wrong))), f"{wrong!r} is not found"


def test_a_sentence_that_is_gone_is_found():
    assert texts.wrong("a", "no such sentence", r"of (\d+) KB", 5)
    assert not texts.wrong("a", "one\nof 1,024 KB", r"of ([\d,]+) KB", 1024)
