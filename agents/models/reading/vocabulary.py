"""The words of the grammar of replies, by their role in a clause. All in lower case, contractions written out."""

import re
from enum import Enum


class Link(Enum):
    """How a clause is linked to what comes before it."""

    NONE = "none"
    REASON = "reason"
    CONDITION = "condition"
    SO = "so"
    BUT = "but"
    AND = "and"
    OR = "or"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


ANSWERS = _set(
    "ans answer answers choice choices decision action move pick selection option vote response reply strategy play"
    " verdict conclusion result final selected chosen label letter number output assistant preference"
    " button key card ballot contribution amount compromise split bid offer donation investment me mine"
    " ai call antwort réponse respuesta risposta resposta ответ 答案 回答 选择 選択"
)
"""Nouns for what is chosen."""

AIMS = _set("aim goal plan priority motto principle")
"""Nouns for what an answer follows from: "my goal is fairness: C"."""

DETERMINERS = _set("my the this that a an")

QUALITIES = _set(
    "final own personal first chosen selected preferred actual definite definitive current single short full"
    " even equal token honest official quick true real new revised updated corrected considered"
    " firm clear solid resounding"
)
"""Adjectives of an answer that leave it an answer."""

SUPERLATIVES = _set(
    "smart wise best better right correct optimal ideal wisest safest smartest rational logical sensible preferable"
    " wiser safer smarter sounder soundest prudent"
    " most"
    " reasonable obvious natural only"
)
"""Adjectives that recommend an option without choosing it."""

PARTIAL = _set("safe safer safest rational logical prudent natural most sensible reasonable")
"""Those of them that may praise an option in one respect alone."""

EVIDENT = _set("easy simple clear obvious evident")
"""What an answer is called before it is given: "the answer is clear: C"."""

COPULAS = _set("is be will would shall are remains stays equals")

MODALS = _set("will would shall going gonna")

ADVERBS = _set(
    "definitely certainly always simply anyway nonetheless nevertheless regardless just also now still again"
    " therefore thus hereby personally really confidently gladly happily rationally then ultimately finally"
    " strongly only exactly clearly surely absolutely obviously firmly please today instead sure too all first"
    " here sooner precisely merely indeed hypothetically actually"
)
"""Words that change nothing about a choice."""


def participles(verb: str) -> list[str]:
    """The forms of a verb in "ing": "choosing", "splitting"; several where the spelling is not known."""
    stems = [verb.removesuffix("e"), *([verb + verb[-1]] if _DOUBLED.search(verb) else [])]
    return [f"{stem}ing" for stem in stems]


_DOUBLED = re.compile(r"(?:^|[^aeiou])[aeiou][bdgklmnprt]$", re.IGNORECASE)
"""The end of a verb whose last letter is doubled."""

_ACTS = _set(
    "choose pick select play take go opt vote decide settle say answer respond reply stick stay commit cast bet adopt"
    " use submit enter give put contribute invest donate pay add spend place allocate offer throw toss chip share send"
    " transfer bid hunt cooperate defect reward forgive reciprocate retaliate punish match repay counter land return"
    " write type press push hit click tap risk open call move drop switch change side back pledge assign lock mark tick"
    " record insist register head turn steer drive confirm proceed elect devote dedicate deposit stake wager"
)

VERBS = _set(
    "chose chosen picked selected played took went gone opted voted decided settled answered responded committed gave"
    " contributed invested meant remain prefer want try start begin do end follow stand mean continue gonna"
) | frozenset(form for verb in _ACTS for form in (verb, *participles(verb)))
"""Verbs whose object is what is chosen."""

DISOWNED = _set("incorrect wrong worst old previous")
"""Adjectives of an answer that is not the writer's."""

RANKED = _set("second third last least second-best usual fallback backup default lucky favourite favorite secret")
"""Adjectives by which an answer of the writer's is not the one that is given."""

WAYS = _set(
    "contributing giving investing donating putting paying"
    " choosing picking selecting playing going opting taking voting"
)
"""Participles of them after "by"."""

DEEDS = _set(
    "set cooperate defect protect show trust help support honour honor respond reciprocate start begin act try"
    " prioritise prioritize reward punish repay play follow go preserve maintain demonstrate express"
    " extend build keep offer"
)
"""Verbs for what is done by choosing an option, and not only caused by it: "I would show my trust by choosing C"."""

WAYS_TO_ACT = _set("way thing course path route approach plan")
"""Nouns that name an answer if they are recommended: "the best way is C"."""

NOUNS = WAYS_TO_ACT | _set("one risk bet winner colour color word card button side")
"""Those, and nouns that name an answer if the writer's choice is told of them: "the one I pick"."""

INTENTIONS = _set(
    "plan intend agree agreed willing happy ready glad determined decided decide wish prepared comfortable"
)

PAST_VERBS = _set("chose chosen picked selected played took went opted voted gave contributed invested")
"""Forms of them that also tell what was chosen earlier."""

WEAK_VERBS = _set("should must need prefer want try favour favor")
"""Words for an own choice that a plain one outweighs."""

DESIRES = _set("love like wish")
"""Words that make a choice after them a wish."""

FILLINGS = _set(
    "concluded resolved ballot vote"
    " am be been have has do to them that i decided decide want wish plan intend agree agreed like love prefer willing"
    " happy ready glad determined prepared comfortable confident with for on in into the my option options action label"
    " letter"
    " choice strategy number card answer up of total contribution amount sum an a is by as rather side down pot"
    " box button key"
    " need must should would will shall myself low lower higher slightly"
)
"""Words that may stand between "I" and the option."""

FILLERS = _set(
    "ok okay sure well yes yeah yep hmm hm um uh ah oh alright great so thus therefore hence finally overall then"
    " now certainly definitely personally honestly clearly ultimately accordingly consequently please hi hello hey"
    " absolutely right and here easy simple same again ha wow only just exactly simply fine good thanks"
    " obviously anyway still first very quite somewhere tbh imo imho lol ugh meh welp"
)
"""Words before a statement that change nothing about it."""

LEADING = _set(
    "given based after upon against for of with in considering because since as to from at on under out despite all"
    " having"
    " without through looking speaking weighing thinking taking when hoping trusting knowing by over unlike"
)
"""First words of a phrase that leads up to a choice after a comma."""

TEMPORAL = _set("in before at on round earlier during formerly previously initially originally once yesterday")
"""First words of a phrase that tells when something was chosen."""

PRESENT = _set("today now")
"""Words that set a choice off from what is usual: "normally C, but today D"."""

EXPECTING = _set("expect predict fear hope wish suspect want assume anticipate bet imagine")
"""Verbs of what the writer foresees of others."""

OPINIONS = _set("think believe know feel see sure guess understand")
"""Words before what the writer thinks of others."""

PLACES = _set("place shoes position stead")
"""Words for the situation of somebody else in such a phrase."""

HERE = _set("group heartbeat conscience this such here scale heart mind level note smile sense bit matter result")
"""Words by which such a phrase tells of this situation, or how something is done: "with a heavy heart"."""

PEOPLE = _set(
    "friends strangers rivals family people enemies competitors colleagues neighbours neighbors partners siblings"
    " relatives opponents teammates"
)
"""Words for people of a kind, and not the partner: "with strangers"."""

GUARDING = _set("guard protect hedge defend insure myself me")
"""Words before "against" that make it no situation: "to guard against betrayal"."""

PREPOSITIONS = _set("with in at on from to by under")
"""Those of them that say in whose place or situation."""

LIMITS = PREPOSITIONS | _set("after against")
"""Words after "only" that limit a choice to another situation."""

AUXILIARIES = _set("would will do did can could should shall might may am")
"""Verbs before "I" in a question or after a denied phrase: "under no circumstances would I"."""

TAIL_STOPS = _set(
    "over despite even given considering"
    " the than before as for to in into at with against from on this each every per by after during without hoping"
    " trusting knowing expecting my any"
)
"""Words after an option that open what is no longer the choice: a reason, a place, what was not chosen."""

REASON_STOPS = _set("considering even despite over than as against given because")
"""Those of them that open a reason or what was not chosen."""

MANNER = _set(
    "please well anymore exactly precisely tomorrow later next once more put"
    " definitely certainly obviously now again too always then all it fully completely"
    " absolutely surely indeed today only instead myself alone points together everything lol too tbh imo imho"
    " them him her"
)
"""Words after a bare option that leave it an answer."""

NEGATIONS = _set("not never neither nor no avoid reject refuse decline without")

HEDGES = _set(
    "maybe perhaps possibly probably might could may either unsure likely usually often mostly generally"
    " typically tempted leaning inclined torn wonder wondering initially originally previously earlier tentatively"
    " almost guess suppose seems hard"
    " normally ordinarily ideally conceivably presumably potentially arguably occasionally"
)
"""Words that make a clause uncertain, general or past."""

NOT_ADVERBS = _set(
    "family friendly unfriendly reply apply supply multiply rely comply imply likely unlikely costly lonely deadly"
    " elderly neighbourly neighborly brotherly sisterly cowardly timely weekly monthly yearly hardly barely nearly"
    " rarely formerly supposedly apparently collectively individually jointly mutually socially selfishly partly"
    " partially hopefully roughly approximately evenly equally"
)
"""Words in "ly" that are no adverbs, or none that change nothing about a choice."""

MIXTURES = _set(
    "percent probability probabilities chance random randomly coin mix mixed mixture mixing alternate alternating"
    " half p sometimes copy mirror imitate"
)
"""Words that make a choice one of several."""

OTHERS = _set(
    "they their them theirs you your yours he his him she her partner partners opponent opponents other others"
    " player players everyone everybody both we our us friend neighbour neighbor rival one someone nobody user human"
)
"""Words for other people, or for all together."""

OWN_SIDE = _set("both we us our everyone everybody me i myself")
"""Words for all together, or for the writer."""

SUBJECTS = _set("they he she that everyone you")
"""Subjects of what others do."""

PERSONS = _set("they their them theirs you your yours he his him she her")
"""Pronouns among them."""

PREDICATES = COPULAS | _set(
    "gives give pays pay yields leads means brings gets results provides offers seems looks has was"
)
"""Verbs whose subject may be an option that is described and not chosen."""

PREVAILING = _set(
    "over carries deserves wins win comes counts prevails rules decides matters beats outweighs trumps first than"
)
"""Words for what decides the answer: "heart wins: C", "safety first: D"."""

RECITED = _set(
    "option table list following matrix payoff payoffs outcome outcomes scenario example results question"
    " player players other one equilibrium optimum dominant maximin minimax pareto average total rounds"
    " points point tokens token coins return returns value gain gains cost costs endowment multiplier factor"
)
"""Words for what is recited after a colon, and not answered."""

REQUESTS = _set("ask asks asked want wants wanted need needs needed require requires required expects request requests")
"""Verbs for what is asked of the writer: "you asked for one letter: C"."""

VOICES = _set("says say suggests suggest dictates recommends advises favours favors advocates demands prefers")
"""Verbs for what a view of the question amounts to: "game theory says D"."""

SPEECH = _set("say says said saying tell tells told telling promise promises promised whispers shouted argues argued")
"""Verbs for what others say."""

PRAISE = _set("better best safer right correct optimal preferable superior wiser smarter")

ASKING = _set("beg begging ask asking urge urging implore imploring advise recommend suggest warn order want")
"""Verbs by which the writer asks something of the reader."""

VAGUE_ACTS = _set(
    "do does doing am be dream of able to going want bring myself it that this so such thing one option a ever could"
    " can must dare think choose choosing pick picking select selecting play playing take taking go with"
    " for say saying vote"
)
"""Words of an act that names no option: "I would never do that"."""

REASONS = _set("lest because since although though while whereas")
CONDITIONS = _set(
    "if unless when whenever until otherwise else whether depending depends conditional contingent hypothetical"
)
HYPOTHESES = _set("according suppose supposing assuming assume imagine consider case scenario possibility example say")
"""Words that open a hypothesis at the beginning of a clause."""

CONSEQUENCES = _set("so whence ergo therefore thus hence consequently accordingly")
TURNS = _set("however actually wait sorry correction oops no nope nah er edit update")
"""Words that announce a change of mind at the beginning of a clause."""

LINKS = {
    **dict.fromkeys(REASONS, Link.REASON),
    **dict.fromkeys(CONDITIONS, Link.CONDITION),
    **dict.fromkeys(CONSEQUENCES, Link.SO),
    **dict.fromkeys(("and", "then"), Link.AND),
    "but": Link.BUT,
    "yet": Link.BUT,
    "or": Link.OR,
}
"""Words that begin a clause within a sentence."""

FINALS = _set("revised updated corrected final finally ultimately conclusion conclude instead overall")
"""Words that mark a statement as the last one meant."""

RETRACTIONS = (
    *_phrases(
        "never mind, ignore that, forget that, forget it, disregard that, cancel that, was a mistake, made a mistake,"
        " by mistake, i was wrong, misspoke, misread, nevermind, take it back, take back, take that back,"
        " changed my mind, change my mind, second thoughts, let me reconsider, let me double-check, let me check,"
        " reconsidering, kidding, joking, undecided, am torn, really torn, not settle on, not make up my mind,"
        " either is fine, either one, either works, either would, not choose, maybe not, not really, perhaps not,"
        " think again, not my answer, not an answer, not my choice, not correct, not right, is incorrect, is wrong,"
        " was wrong, was a joke, is a joke, forget what i said, i lied, is a lie, was a lie, i regret that, undo that,"
        " not mean that, not serious, not my real choice, only an example, just an example"
    ),
    *(
        f"both {options}{be} {well}"
        for options in ("", "options ", "choices ", "answers ", "of them ")
        for be in ("are", "can be", "could be", "may be", "would be")
        for well in ("fine", "correct", "right", "possible", "acceptable", "equally good", "equally valid")
    ),
)
"""Words that take back what was said before, wherever they are in a clause without an option."""

UNCERTAINTIES = _phrases(
    "who knows, not sure, not decided, not decide, not know, not matter, not possible, impossible, not allowed, not say"
)
UNCERTAIN_ABOUT = _set("yet which whether if anymore actually really myself now about")
"""Words that say that nothing is decided, at the end of a clause or before one of these."""

PAYING = _set(
    "get gets getting receive receives earn earns win wins lose loses payoff payoffs score scores gain gains"
    " pays yields"
)
"""Words before the number of a payoff."""
