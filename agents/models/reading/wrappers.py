"""What a reply is wrapped in: thoughts, tags, control tokens, code fences, JSON, LaTeX and markdown.

Every wrapper is taken off in time linear in the length of the reply.
"""

import re
import unicodedata
from collections.abc import Collection

from dilemmas.agents.models.reading.thoughts import without_thoughts
from dilemmas.agents.models.reading.vocabulary import ANSWERS

FINAL_CHANNEL = re.compile(r"<\|channel\|>\s*final\s*<\|message\|>")

END_OF_TURN = re.compile(
    r"<\|(?:im_end|end|eot_id|endoftext|end_of_text|return|eom_id|end▁of▁sentence)\|>|</s>|<eos>|<end_of_turn>"
)

CONTROL_TOKEN = re.compile(r"<\|[^|<>\n]{1,40}\|>|<(?:s|bos|pad|start_of_turn)>|\[/?INST\]")

TAG = re.compile(r"<(/?)([A-Za-z][\w-]{0,30})(?:\s[^<>\n]{0,80})?/?>|\[(/?)([A-Za-z][\w-]{1,30})\]")
INLINE_TAGS = frozenset(("b", "i", "u", "em", "strong", "code", "span", "p", "sub", "sup", "mark", "font", "br"))

PAIR = re.compile(
    r"""(?:(?<=[{,\n])|\A)\s{0,40}(?P<quote>["'])(?P<key>[\w -]{1,40})(?P=quote)\s{0,9}[:=]\s{0,9}"""
    r"""(?P<value>"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[^\s,{}\[\]"']++)""",
    re.DOTALL,
)
"""A key and a value of JSON or of a Python dictionary, also where the reply ends in the middle."""

NOT_TICKED = re.compile(
    r"^[ \t]*(?:[-*][ \t]*)?(?:\[ ?\]|[☐✗✘❌⬜])[^☑✓✔✅\[\n]*"
    r"|^[^\n☑✓✔✅]*[✗✘❌👎🚫][ \t]*$|(?:\[ \]|[☐⬜])[^☑✓✔✅\[\n]*",
    re.M,
)
TICK = re.compile(r"^[ \t]*(?:[-*][ \t]*)?\[[xX✓✔]\]|\[[xX✓✔]\](?=[ \t]*\w)|[☑✓✔✅]", re.M)
"""Options of a form, and the mark of the one that is taken."""

STAGE_DIRECTION = re.compile(
    r"(?<!\*)\*(?=[a-z])VERBS[^*\n]{0,60}\*(?!\*)|^[^\S\n]*+\(VERBS[^()\n]{0,60}\)".replace(
        "VERBS",
        "(?:thinks?|smiles?|shrugs?|sighs?|laughs?|pauses?|nods?|grins?|winks?|ponders?|considers?|hesitates?)\\b",
    ),
    re.M | re.I,
)
"""What a speaker does while answering: "*smiles* C"."""

BLANK_LINES, BLANKS = re.compile(r"\n(?:[^\S\n]*+\n){2,}+"), re.compile(r"([^\S\n]{8})[^\S\n]++")
"""Longer runs of blanks than say anything: no pattern then begins at each blank of a thousand."""

EMOTICON = re.compile(
    r"(?<!nswer )(?<!hoice )(?<!ction )(?<!ption )(?<!ision )(?<=[^\S\n])(?:[:;=]['’]?-?[A-Z]|[xX]D)(?!\S)"
)
"""A face made of letters, as in "I choose C :D", but not the answer of "My choice :D"."""

STRUCK = re.compile(r"~~[^~\n]{1,200}~~")
"""Words that are struck out."""

FENCE = re.compile(r"(?:`{3,}|~{3,})(?:json|python|text|plaintext|txt|xml|yaml|markdown|md|bash)?", re.I)
ASIDE = re.compile(r"(?<=\w)[ \t]\([^()\n]{1,30}\)(?=[*_]*\s?:)")
"""Brackets before a colon: "answer (one letter): C"."""

BOXED = re.compile(r"\\(?:boxed|fbox)\s?\{")
LATEX = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|emph|underline)\s?\{|\\[()\[\]]")

TABLE = re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*\|[^\n]*", re.MULTILINE)
ROW = re.compile(r"^[ \t]*\|[^\n]*", re.MULTILINE)
"""The line below the heading of a table, and a row."""

LINE_MARK = re.compile(r"^[ \t]*(?:[-*+•‣▪●◦·–—>#→✅✔☑➡👉️️ \t]{1,40}(?=\s|[^\w\s])|#+|>+|•)", re.MULTILINE)
"""Bullets, headings, quotation marks and emoji at the beginning of a line."""

DENIED = re.compile(
    r"(?<![^\s(\"'])(?:(?:!|¬[ \t]?)(?=[(\[]{0,2}[^\W_])|~(?=[^\W\d_])(?!\w+~))|[👎🚫❎⛔🙅]️?[ \t]*(?=[^\W_])"
)
UNEQUAL = re.compile("!=|=/=|≠")
"""Signs that deny what follows: "!C", "choice != C"."""

UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
STARS = re.compile(r"\*\*+|(?<!\d)\*|\*(?!\d)")


SPEAKER = (
    r"(?:he|she|they|you|everyone|(?:the|my|your|his|her|another|one) (?:other )?\w+(?: player| person)?)"
    r"(?: \w+ly| always| once| just| have| has| would| had| used to)?"
)
SAYS = r"(?:say|says|said|tell|tells|told|whispers?|whispered|promised?|promises|asks?|asked|shouts?|shouted|argues?)"
SEVERAL = r"""["“«„][^"”“»\n]{1,200}\s[^"”“»\n]{1,200}["”“»]"""
QUOTATION = r"""(?:["“«„][^"”“»\n]{0,400}["”“»])"""
QUOTED = re.compile(
    rf"{QUOTATION}[,.]?\s{{0,3}}(?:{SPEAKER} {SAYS}|{SAYS} {SPEAKER})\b"
    rf"|{SEVERAL}[,;]?\s{{0,3}}(?:and|or|/)\s{{0,3}}{SEVERAL}"
    rf"|(?P<speaker>\b{SPEAKER} {SAYS}(?: (?:me|us|to me|to us))?)[:,]?\s{{0,3}}{QUOTATION}",
    re.I,
)
"""What others say in quotation marks, and several answers in quotation marks."""

ENDING = re.compile(r"""[.!?]["”“»]\Z""")
"""The end of a quotation that ends a sentence."""

QUESTION_AND_ANSWER = re.compile(
    r"^[*_]*(?:q(?:uestion)?\s?[:.]|which\b|what\b|how\b).{0,400}\?[*_]*\s+[*_]*A(?=\s?[:.][*_]*\s)", re.I | re.M
)
"""A question up to the letter that announces its answer."""

INVENTED = re.compile(
    r"(?<=\n)(?<!:\n)(?<!:\n\n)[ \t]*(?:#+[ \t]*(?:instructions?|input|question|prompt)\b"
    r"|[*_]*(?:user|human|instructions?)[*_]*[ \t]?:"
    r"|(?:[*_]*(?:question|q)[*_]*[ \t]?:[\s\S]{0,900}?"
    r"|(?:you (?:are|and|play|have)|imagine)\b[^?]{0,900}\?[^?]{0,200}?)"
    r"(?:\?[*_]*\Z|\n[ \t]*[*_]*(?:answer|a)[*_]*[ \t]?:))",
    re.I,
)
"""The beginning of a question or a turn of the user's that the writer makes up after the answer."""

NAMES_OF_ANSWERS = (
    ANSWERS | {"my", "the", "content"} | {"contribute", "give", "invest", "donate", "put", "in", "points", "tokens"}
)
"""Words of which the key of an answer is made."""


def unwrap(text: str, labels: Collection[str] = (), answer_alone: bool = False) -> str:
    """The words of a reply without thoughts, tags and other wrappers; elements and keys become lines ``name: value``.

    Parameters
    ----------
    text
        The reply.
    labels
        Words in brackets that are kept, because they are labels.
    answer_alone
        Whether the other pairs of keys and values are left out where one is the answer.
    """
    text = without_thoughts(FINAL_CHANNEL.split(unicodedata.normalize("NFKC", text))[-1])
    turns = [turn for turn in END_OF_TURN.split(text) if turn.strip()]
    text = CONTROL_TOKEN.sub(" ", turns[0] if turns else "")
    text = _without_invented(text.strip())
    names = {label.casefold() for label in labels}
    text = ASIDE.sub("", STAGE_DIRECTION.sub(" ", STRUCK.sub(" ", EMOTICON.sub(" ", text))))
    text = TICK.sub(" ", NOT_TICKED.sub("", text))
    text = TAG.sub(lambda tag: _line(tag, names), text)
    text = LATEX.sub("", BOXED.sub("\nanswer: ", FENCE.sub("\n", text)))
    text = QUESTION_AND_ANSWER.sub("\nanswer", QUOTED.sub(_without_quotation, text))
    answered = answer_alone and any(_key(pair["key"]) == "answer" for pair in PAIR.finditer(text))
    text = PAIR.sub(lambda pair: _pair(pair, answered), text).replace("\\n", "\n")
    return BLANKS.sub(r"\1", BLANK_LINES.sub("\n\n", text))


def _without_invented(text: str) -> str:
    """The text up to a question that follows the answer."""
    invented = INVENTED.search(text)
    return text[: invented.start()] if invented else text


def _without_quotation(quoted: re.Match[str]) -> str:
    """What is left of a quotation: its speaker, and the full stop in it."""
    return (quoted["speaker"] or "") + (". " if ENDING.search(quoted[0]) else "")


def without_markup(text: str) -> str:
    """The text without cut rows of tables, emphasis, bullets, headings and other marks of markdown."""
    if table := TABLE.search(text):  # a row that ends early is no answer
        text = ROW.sub(lambda row: row[0] if row[0].count("|") >= table[0].count("|") else "", text)
    text = UNEQUAL.sub(" is not ", DENIED.sub("not ", LINE_MARK.sub("", text)))
    return UNDERSCORES.sub(" ", STARS.sub("", text.replace(" * ", " × ")))


def _line(tag: re.Match[str], labels: Collection[str]) -> str:
    closing, name = tag[1] or tag[3], (tag[2] or tag[4]).casefold()
    if name in labels or tag[0].casefold() in labels:
        return tag[0]
    if name in INLINE_TAGS:
        return ""
    return "\n" if closing else f"\n{_key(name)}: "


def _pair(pair: re.Match[str], answered: bool) -> str:
    """A key and a value as a line; nothing where another key is that of the answer."""
    if answered and _key(pair["key"]) != "answer":
        return "\n"
    value = pair["value"].strip("\"'").replace('\\"', '"')
    return f"\n{_key(pair['key'])}: {value}\n"


def _key(name: str) -> str:
    """The name of a tag or key as words; "answer" for all names of an answer."""
    words = re.sub(r"[_-]|(?<=[a-z])(?=[A-Z])", " ", name).casefold().split()
    answer = words and set(words) <= NAMES_OF_ANSWERS
    return "answer" if answer else " ".join(words)
