"""Words are letters and figures; questions made of them hold nothing else."""

import re
import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.memory.words import asked, fts5, tsquery, tsvector, words

ANY = st.text(st.characters(exclude_categories=()), max_size=80)


def test_words_are_lower_case_without_accents_and_cut() -> None:
    assert words("Straße, CAFÉ_9 (서버가)") == ["strasse", "cafe", "9", "서버가"]
    assert words("x" * 90) == ["x" * 40]


def test_a_question_has_each_word_once_and_at_most_sixteen() -> None:
    assert asked("b a b") == ["b", "a"]
    assert len(asked(" ".join(map(str, range(50))))) == 16


@settings(max_examples=40)
@given(ANY)
def test_a_question_holds_only_words_between_its_quotes(text: str) -> None:
    question = tsquery(asked(text), "|")

    assert re.fullmatch(r"('[^\W_]+'(:\*)?( \| )?)*", question)


@settings(max_examples=40)
@given(ANY)
def test_sqlite_finds_every_text_by_its_own_words(text: str) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table w using fts5 (t, content = '', tokenize = 'ascii')")
    database.execute("insert into w (rowid, t) values (1, ?)", (" ".join(words(text)),))

    found = [
        database.execute("select rowid from w where w match ?", (fts5(asked(text), joined),))
        for joined in ("AND", "OR")
        if asked(text)
    ]

    assert [cursor.fetchall() for cursor in found] == [[(1,)]] * len(found)


def test_a_vector_of_words_has_their_places() -> None:
    assert tsvector("to be or not to be") == "'to':1,5 'be':2,6 'or':3 'not':4"
