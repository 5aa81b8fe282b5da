"""The language is told when the text shows it, and unknown otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.language import LANGUAGES, detect, normalise


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The harbour of Northport opened again on Friday, nine days after the storm."),
        ("en", "TOWN COUNCIL VOTES TO KEEP THE OLD BRIDGE AND THE SCHOOL"),
        ("de", "Der Hafen wurde am Freitag wieder geöffnet, neun Tage nach dem Sturm."),
        ("fr", "Le port a rouvert vendredi, neuf jours après la tempête qui l’avait fermé."),
        ("es", "El puerto volvió a abrir el viernes, nueve días después de la tormenta."),
        ("pt", "O porto reabriu na sexta-feira, nove dias depois da tempestade que o fechou."),
        ("it", "Il porto ha riaperto venerdì, nove giorni dopo la tempesta che lo aveva chiuso."),
        ("nl", "De haven ging vrijdag weer open, negen dagen na de storm die hem had gesloten."),
        ("ru", "Порт снова открылся в пятницу, через девять дней после шторма."),
        ("uk", "Порт знову відкрився в п’ятницю, через дев’ять днів після шторму."),
        ("ar", "أعيد فتح الميناء يوم الجمعة بعد تسعة أيام من العاصفة"),
        ("zh", "港口在风暴过后九天于星期五重新开放,第一艘渡轮已经启航前往各个岛屿。"),
    ],
)
def test_a_sentence_shows_its_language(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text", ["", "   ", "12 345 67.8 — %", "Yes.", "***", "😀" * 50, "7 8 9 " * 90]
)
def test_short_texts_and_symbols_are_of_no_known_language(text: str) -> None:
    assert detect(text) == ""


@given(st.text())
def test_any_text_gives_a_code_or_nothing(text: str) -> None:
    assert detect(text) in {"", *LANGUAGES}


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *(("en-US", "en"), ("EN_gb", "en"), ("en", "en"), ("eng", "en"), ("English", "en")),
        *(("pt-BR", "pt"), ("zh-Hans-CN", "zh"), ("nb-NO", "no"), ("iw", "he"), (" de ", "de")),
        *(("", ""), ("x-default", ""), ("klingon", ""), ("12", ""), ("und", "")),
    ],
)
def test_a_stated_language_becomes_its_iso_639_1_code(tag: str, language: str) -> None:
    assert normalise(tag) == language
