"""Phrases replaced by one word of the same role."""

import re

from dilemmas.agents.models.reading.options import OPTION
from dilemmas.agents.models.reading.wordings import (
    CONTRACTIONS,
    JOINED_ACTS,
    MISSPELLINGS,
    NAMED_IN_BRACKETS,
    NO_CONDITIONS,
    OWN_PARTY,
    PICKING,
    PICKS,
    PLAIN_REASONS,
    SAFELY,
    WORDS_FOR_BECAUSE,
    WORDS_FOR_IF,
)

_VIEW = r"(?:an?|the|my)(?: [a-z-]+){0,3} (?:points? of view|perspective|standpoint|viewpoint|angle)"

_WHY = "(?:main |only |real )?(?:reason|motivation|rationale)"
_REASON = (
    rf"(?:(?:the|my) {_WHY} (?:that |why )?i (?:would )?(?:choose|pick|select)|the {_WHY} for my choice of"
    rf"|my {_WHY} for (?:my choice of|choosing|picking|selecting)|what makes me (?:choose|pick|select))"
)
"""Words before an option whose choice is explained."""

_CONSEQUENCE = (
    r"(?:\A|(?<=[.!?,;:\n–-])|(?<=[.!?,;:\n–-] )|(?<=\band ))"
    r"(?:which|that|this|it|all (?:of )?(?:this|that))(?: simply| only| then| [a-z]+ly)?"
    r" (?:means|implies|leaves(?: only)?|(?:settles|decides|seals) (?:it|this|that|the matter)"
    r"|makes (?:it|this|(?:my|the) (?:choice|decision|answer))(?: an?)?(?: very| quite)?"
    r" (?:easy|simple|clear|obvious|straightforward)(?: choice| decision| one)?)"
)
"""Words before an option or the writer's act that make it a conclusion: "which means that I choose C"."""

_CAUSE = (
    r"(?:(?!(?:because|if|when|but|and|or|that|what|which|who|they|he|she|you|it"
    r"|not|never|nothing|nobody|none|neither|no(?! doubt))\b)"
    r"[a-z][a-z'-]* ){0,7}"
    r"(?!(?:friends?|partners?|opponents?|players?|others?|rivals?|neighbou?rs?|they|he|she|you|it|that|which|what|this"
    r"|nothing|nobody|none)\b)[a-z][a-z'-]*"
)
"""What makes the writer choose: "fear of betrayal"."""

PHRASES = {
    **NAMED_IN_BRACKETS,
    **JOINED_ACTS,
    "consider": (rf"(?:turn(?:ing)?|mov(?:e|ing) on) to(?= ?{OPTION})",),
    r"i choose \g<yes>": (rf"(?P<yes>{OPTION}) ?\? ?yes(?= ?[.!;\n]|$)",),
    r"not \g<no>": (rf"(?P<no>{OPTION}) ?\? ?(?:no|never|nope)(?= ?[.!;\n]|$)",),
    r"i choose \g<mine>": (
        rf"(?:\A|(?<=[.!?\n:] ))(?:(?:it|that|this) is )?(?:an? (?:[a-z]+ )?)?(?P<mine>{OPTION}) ?from me"
        r"(?= ?(?:too|as well)? ?(?:[.!;\n]|, (?:too|because)|\Z))",
    ),
    "not": (
        r"(?:can|could|should|would|will|do|am) not",
        "rather not",
        "(?:any|every)thing (?:but|except|other than)",
    ),
    "wait": ("(?:hang|hold) on(?! to\b)",),
    "the best": ("the clear(?= (?:choice|winner|answer|option))",),
    "not sure": ("not (?:so|quite|entirely|really|that|totally|very) sure",),
    "i not choose": (rf"i take back(?: my)?(?: answer| choice)?(?: of)?(?= ?{OPTION})",),
    r"go with \g<tried>": (rf"give (?P<tried>{OPTION}) ?a (?:try|go|shot|chance)",),
    "i should": (
        "i (?:would|had) better",
        r"(?:i (?:think|believe|feel)(?: that)? )?it (?:is|would be|feels|makes) (?:only )?"
        r"(?:(?:best|better|safest|safer|wisest|wiser|wise|smartest|smarter|right|fair|sense)"
        "(?: for me to| that i| if i)"
        r"|in my (?:own )?(?:best )?interests? to|worth (?:it|the risk|a try|trying) to)"
        rf"(?= (?:choose|pick|select|go|play|opt|take)\b| ?{OPTION})",
        r"i (?:think|believe|feel)(?: that)? it (?:is|would be) (?:best|better|safest|safer|wisest|wiser|wise|smartest"
        rf"|smarter|right|fair) to(?= (?:choose |pick |select |play |go (?:with|for) )? ?{OPTION}[ ,]*"
        r"(?:because|since|as) (?:i|we|it|they|my|this|that)\b)",
    ),
    "for": ("in favou?r of", r"out of(?= (?!the\b)[a-z])"),
    "not ": (r"i (?:do )?not (?:think|believe)",),
    "suppose": (
        "e\\.g\\.",
        "for (?:example|instance|the sake of (?:argument|completeness))",
        "in (?:the|one|an?) ?(?:first|second|third|fourth|other|another|former|latter)?"
        " (?:case|scenario|example|instance|possibility|outcome)(?= ?,)",
    ),
    ":": (
        rf"(?:i\.?e\.?,?|that is(?: to say)?,|in other words,?|meaning|namely)"
        rf"(?= ?(?:to )?(?:choose |choosing |pick |picking |option )?{OPTION})",
    ),
    "that is": (r"i\.e\.",),
    "or": ("vs|versus",),
    "whence i": (
        rf"(?:^|(?<=[.!?,;:\n] )){_CAUSE} (?:makes?|leads?|drives?|pushes|push|inclines?|compels?) me(?: to)?"
        rf"(?= (?:choose|choosing|pick|select|go|play|opt|take)\b| ?{OPTION})",
        "(?:the golden rule|experience|caution|logic|reason|morality|fairness|fear) tells me to",
        r"(?:(?<!none of )this|that|it|which|(?:my|the|this|all) [a-z]+(?: of this)?)"
        r" (?:leads|leaves|makes|brings|led|made|causes) me(?: to| with)?",
    ),
    "whence": (
        rf"(?:{_CONSEQUENCE}|(?<=, )meaning)(?: that| for me)? ?[:,–-]?(?= ?(?:{OPTION}\W*(?:[.,;!\n]|$)|(?:i|my)\b))",
    ),
    "but": ("even so(?= ?[,:–-])",),
    "i put in": (
        "i am in (?:for|with)",
        r"i (?:(?:will|would|am going to|want to) )?make (?:(?:an?|my) )?(?:[a-z]+ )?"
        rf"(?:contribution|donation|offer|investment) of(?= ?{OPTION})",
    ),
    "i have to": ("i (?:am|feel) (?:forced|compelled|obliged) to", "(?:i(?: have| would|'ve)? )?(?:gotta|got to)"),
    "correction": (
        "(?:let me |i (?:(?:will|would|want|need|have|must|now|hereby|am|like|to) ){0,4})?"
        "(?:chang(?:e|ing)|revis(?:e|ing)|correct|rephrase|amend|retract|withdraw)"
        " (?:that|it|this|my (?:answer|choice|decision))(?: to)?",
        "let me (?:revise|correct|rephrase)",
        "my (?:mistake|bad|error)|just kidding",
        r"(?:(?:just|only|lol|haha) )?(?:jk|sike|psych|yeah,? right|as if)(?= ?(?:[.,!;)\n]|$))",
        rf"(?:scratch|strike) that|or rather|(?<=[,–-] )i mean,?(?= ?{OPTION})",
        rf"i meant(?: to (?:say|write|choose))?(?= ?{OPTION})",
        "(?:let (?:me|us) |i (?:will |would )?(?:rather )?)?make (?:that|it)",
    ),
    "i": (
        "i ?, ?(?:too|personally|myself|however|therefore|for one|as (?:an? )?[a-z ]{1,30}) ?,",
        r"i for one|i ?\((?:as )?(?:player|person|participant) \w+\)",
        "it is my (?:choice|decision|plan|intention) to|my (?:plan|intention|aim) is to",
    ),
    r"\g<lead>prefer": (
        r"(?P<lead>\bi (?:(?:would|do|will|am|would be) )?(?:[a-z]+ly )?)(?:(?:rather|more) )?"
        r"(?:recommend|suggest|advise|(?:lean(?:ing)?|inclined)(?: (?:more|rather|[a-z]+ly))?(?: to(?:wards?)?| for)?)"
        rf"(?= ?{PICKING}?{OPTION}(?! ?to\b))",
    ),
    "i prefer": (
        rf"my (?:[a-z]+ )?(?:recommendation|suggestion) (?:is|would be)(?= ?{PICKING}?{OPTION})",
        rf"\Arather(?= ?{OPTION} ?(?:[.!\n]|$))",
        r"i (?:would |will |am )?(?:feel |be )?(?:(?:more|most|so|very|much|the) )?"
        r"(?:best|better|safe|safest|safer|good|confident|happiest|happier|comfortable|at ease) "
        rf"(?:with|by|about|if i)?(?: ?(?:choosing|picking|selecting|playing|going with|going for))?(?= ?{OPTION})",
        "my (?:gut|heart|head|instincts?|inclination|conscience|values|principles|morals|intuition)"
        " (?:says?|tells? me|is|points? (?:me )?to(?:wards?)?|leans? to(?:wards?)?)(?: to)?",
    ),
    "answer": (
        "(?:in )?(?:one|a single|single)[ -](?:letter|word|character)(?: answer)?(?= ?[:,])",
        r"(?:tokens|points|amount|coins)(?: i)? (?:contribute|contributed|given|give|invested|donated)(?= ?:)",
        r"(?:number|amount) of (?:tokens|points|coins)(?= ?:)",
        r"(?:\A|(?<=\n))tokens(?= ?:)",
        "contributed (?:amount|tokens|points)(?= ?:)",
        rf"\Aa(?= ?: ?{OPTION}\W*\Z)",
        r"(?:(?:group|common|public|shared) (?:account|fund|pool|pot|project)|pool|pot)(?= ?:)",
        rf"\Athe (?:(?:group|common|public|shared) )?(?:account|fund|pool|pot|project) (?:gets|receives)"
        rf"(?= ?{OPTION} ?(?:from me ?)?(?:[.,;!\n]|$))",
    ),
    "switch to": (rf"(?:switch|mov|chang|go)(?:e|ing)? from {OPTION} ?to",),
    "i choose": (
        rf"(?:^|(?<=[.!?,;:\n] )|(?<=so )){OWN_PARTY}(?:{PICKS}| (?:will|shall))(?= ?{OPTION})",
        rf"(?:\A|(?<=so )|(?<=thus )|(?<=ore, )|(?<=hus, )|(?<=nce, ))we{PICKS}(?= ?{OPTION})",
        r"i am (?:all |now )?"
        r"(?:for|with|fine with|good with|back to|back to choosing|confident in|set on|sold on|decided on)"
        rf"(?= ?{OPTION})",
        rf"(?:(?:let us )?call it|make mine|yes to)(?= ?{OPTION})",
        r"^\W*(?:chooses|picks|selects)(?=\W)",
        r"(?:count me(?: in)?|(?:put|mark) me down) (?:for|as|with)(?: an?)?",
    ),
    "go": (rf"{SAFELY}(?= (?:with|on|in|and) )",),
    r"\g<act>": (
        r"(?P<act>choose|choosing|pick|picking|select|selecting|with|for|play|playing|take|taking)"
        r" the (?:[a-z-]+ ){1,2}(?:option|choice|move|strategy|action|route|path)"
        rf" ?[,(:–-]? ?(?={OPTION})",
    ),
    r"\g<option> is": (
        rf"i (?:would )?(?:consider|deem|find|believe) (?P<option>{OPTION}) ?(?:as|to be)?(?= (?:the|my) )",
    ),
    "i think": (
        rf"i feel like(?= ?{OPTION})",
        "i (?!hardly|rarely)(?:[a-z]+ly|still|do) (?:think|believe)",
        rf"it (?:seems|appears) to me(?: that)?(?= ?(?:{OPTION} ?(?:is|would be|makes)|the|my|i should) )",
        rf"i (?:would|will|have to|must) (?:say|argue)(?: that)?(?= ?{OPTION} ?(?:is|would be|seems|makes) )",
    ),
    "i conclude": ("i (?:have )?(?:(?:come|came) to|arrived? at|reach(?:ed)?) the conclusion",),
    "long": ("a while",),
    "again": ("once (?:again|more)",),
    "then": (
        rf"(?:followed(?: [a-z]+ly)? by|after(?:wards| that)|subsequently|later|next|(?<!the )second)"
        rf"(?= ?{PICKING}?{OPTION})",
    ),
    "is": (
        "(?:falls|fell|has fallen) (?:up)?on",
        "is, (?:without (?:a )?(?:doubt|question)|of course|all things considered|ultimately),",
        "is, (?:in my (?:opinion|view)|for me|to me|i (?:think|believe)|by far),",
        "strikes me as|is by far",
        r"(?:would )?(?:seems?|appears?|looks?|feels?|sounds?)(?: to me)?(?: like| to be|)"
        r"(?= (?:(?:the|my) |(?:clear|obvious|evident|simple|easy)\b[^.,;:\n]{0,9}:))",
    ),
    "the best option": (
        "(?:an?|the) (?:good|wise|safe|fair|sensible|reasonable|appropriate) (?:choice|option|answer|move|amount"
        rf"|contribution|number)(?: here| for me)?(?= (?:is|would be) ?{OPTION})",
        "what (?:is|would be|seems) (?:best|right|safest|fairest)(?: (?:for|to) (?:me|us|both|both of us))?(?= is )",
        "the (?:better|best|safer|safest|right) (?:one |option |choice )?of the (?:two|options|two options)"
        "(?: for me)?",
    ),
    "is the best option": (
        "(?<!it )is an? (?:easy|clear|obvious|natural|simple) (?:choice|decision|pick|call)",
        "makes (?:the )?(?:most|more) sense(?: to me)?",
        "is (?:right|best|better) for me",
    ),
    "my choice": (
        "the (?:only )?(?:choice|option|one|answer)(?: that| which)? i (?:can|could) (?:live with|stand by)",
    ),
    "is my choice": (
        "(?:gets|has) my (?:[a-z]+ )?(?:vote|support|backing)",
        "is the (?:one|choice|option) for me",
        r"(?:will )?go(?:es)? in(?= ?[.,;!\n])",
        r"(?:will )?go(?:es)? (?:in|into|to|toward|towards) the"
        r" (?:(?:common|group|public|shared) )?(?:pot|pool|fund|account|project|group)",
    ),
    "my choice is": (
        r"there is only one (?:[a-z]+ )?(?:choice|answer|option)(?: for me)?(?= ?:)",
        "(?<!is )(?<!asked )what i(?: (?:will|would))? (?:choose|pick|select|do)(?= ?:)",
        "here it is(?= ?:)",
        "my (?:vote|pick|choice) goes to",
        "(?:the |my )?(?:decision|choice) (?:is )?made(?= ?:)",
    ),
    "now": (
        "(?:from now on|for now)",
        r"(?:(?:for|in) )?this (?:round|time|turn)(?: around)?",
    ),
    "we": (r"(?:(?:my|the) (?:other )?[a-z]+|you) and i",),
    "to": (r"no (?:other )?(?:choice|option|alternative) (?:but|except|than) to",),
    r"i choose \g<reasoned> because": (rf"{_REASON} (?P<reasoned>{OPTION}) ?(?:is|was|:)",),
    "": (
        r",? ?[–-]? ?unless [^.;:!?\n]{1,140}, which (?:(?:there|it|this|that|they|he|she|you) )?"
        r"(?:(?:is|are|was|were|does|did|have|has) )?not(?: the case| any)?(?: here| now| in this (?:case|game))?"
        r"(?= ?(?:[.!;\n]|$))",
        rf"(?<={OPTION}),? actually(?= ?[.!])|(?<={OPTION} ),? ?actually(?= ?[.!])",
        rf"the other(?= ?{OPTION})|(?:may|might)(?: just)? as well(?! be me\b)",
        r"(?:step|round) \d+(?= ?:| (?:decision|choice|answer|move)\b)",
        "(?:(?:a (?:bit|little)|slightly|much) )?(?:(?:more|less|higher|lower) than|above|below)"
        " (?:(?:in )?(?:the )?(?:last|previous) (?:round|time|week)|before|(?:the|their) average|the others)",
        "(?:there is )?(?:no|little) (?:doubt|question|hesitation)(?: about (?:it|that)| in my mind)?",
        "i am (?:(?:pretty|fairly|quite|very|absolutely|rather) )?(?:sure|certain|confident|convinced)(?: that)?"
        rf"(?= (?:i|my) | ?{OPTION} ?is the )",
        "without (?:a )?(?:doubt|hesitation)|of course|ofc|in total|for me",
        "(?:in|under) (?:the|these|such|the given) circumstances"
        r"|,? ?let us say(?= ?(?:[.!\n]|$))|(?<=\bthis )hypothetical",
        r"come what may|any day(?: of the week)?|all day long|just in case(?= ?(?:[.,!;\n]|$))",
        rf"(?:the )?(?:option|one|action|choice) (?:that is )?(?:labell?ed|called|named|marked)(?= ?['\"]?{OPTION})",
        "(?:a |one )?(?:100|hundred) ?(?:%|percent)(?= ?(?:[.,!;)\n]|$))",
        r"with (?:(?:100 ?% )?certainty|probability (?:1|one|100 ?%)|100 ?% probability)(?!\w|[.,/]\d| ?%)",
        rf"100 ?%(?= ?{OPTION})",
        rf"(?:looking at (?:it|this) )?from {_VIEW}",
        r"keep(?:ing)?(?= [a-z]+ing\b)",
        r"i (?:think|believe|reckon|would say)(?= ?(?:[.!?,;\n]|$))",
        r"it (?:is|becomes) (?:pretty |quite |very )?(?:clear|obvious|evident|plain)(?: to me)? that"
        r"|it goes without saying(?: that)?",
    ),
    r"although \g<either>": (r"whether (?P<either>[^,.;\n]{0,60}) or not",),
    "although": (
        r"i (?:wonder|do not care|do not mind) (?:if|whether|what|which)(?= (?:they|he|she|the|my|others)\b)",
        "i not know (?:if|whether|what|which)(?= (?:they|he|she|everyone|(?:the )?others|(?:the|my) other [a-z]+|my"
        r" (?:partner|opponent|friend|brother|sister|neighbou?r)) (?!is right\b))",
        r"(?:let us|and) (?:just )?(?:see|find out|hope)(?: now)?(?: (?:if|whether|what|how|who|that))?"
        rf"(?= (?:they|you|he|she|we|the|my|others?|it)\b(?:(?!{OPTION})[^.:;!?\n]){{0,80}}(?:[.!\n]|$))",
        r"whether(?= [^,.;\n]{0,60} or )",
        "even (?:if|though|when)|whether or not",
        r"no matter|as much as(?= i\b)|what(?:so)?ever|whichever|whoever|regardless",
    ),
    "if": WORDS_FOR_IF,
    r"because \g<why>,": PLAIN_REASONS,
    "because": WORDS_FOR_BECAUSE,
    "over": ("rather than", "instead of", "as opposed to", "in preference to"),
    "only": ("nothing but",),
    "my": (
        "(?:this|here) is my",
        "today's",
        r"(?:\A|(?<=\n)|(?<=so )|(?<=ore, ))our(?= (?:final )?(?:answer|choice|decision|vote)\b)",
    ),
    "the question": ("(?:your|the user's) (?:question|prompt)",),
    "it would be": ("that (?:would|will) be",),
    "well": (
        *NO_CONDITIONS,
        r"(?:some(?:one|body)|one of us) (?:has to|needs to|must|should|ought to)"
        r" (?:(?:take|make) the (?:first (?:step|move)|initiative|lead|plunge|leap)|(?:go|be|act|trust|move) first"
        r"|start|begin|trust|be the (?:first|one|bigger [a-z]+)(?: one)?(?: to [a-z]+)?|break the (?:cycle|ice))"
        r"(?:,? and (?:it (?:may|might|could)(?: just)? as well be|why not) me)?(?= ?(?:[:–-]|, so ))",
        r"it (?:may|might|could)(?: just)? as well be me(?= ?[:,–-])",
        "(?:screw|sod|hang|to hell with) (?:it|this|that)(?= ?[,:–-])|what the (?:heck|hell)|you know what|so be it",
        "i (?:must|have to|should) (?:say|admit|confess)(?= ?,)",
        r"let us (?:be (?:honest|realistic|real|frank)|face it)(?= ?[,:])",
        "[a-z-]{1,30} or not(?= ?,)|(?<!i )(?:guess|think|reckon|figure)(?= i (?:will|would|am))",
        "here (?:goes|you go|we go|you are)",
        r"let me (?:see|think)(?: about (?:it|this|that))?(?= ?[.,:–-])",
        "i (?:am afraid|am thinking|guess|suppose)(?: that)?(?= i )",
    ),
    r"so \g<made> is": (rf"(?:makes?|made|renders?) (?P<made>{OPTION})(?= ?(?:the|my) )",),
    "opportunity": ("chances?(?= (?:to|at|for) )",),
    "however": (
        "(?:al)?though(?= ?,)",
        r"(?:up)?on (?:second thoughts?|(?:(?:further|closer) )?(?:reflection|reconsideration|inspection|thought))",
        r"(?:(?:after |on )?thinking|having thought|when i think)(?: (?:about |on )?(?:it|this|that)(?: all)?)?"
        r" (?:(?:a (?:bit|little)|some) )?(?:more|further|again|over(?: again)?|through|longer)"
        r"(?: carefully| deeply| closely)?(?= ?,)",
        "then again|in fact",
    ),
    "so": (
        "(?:this|that|which) is (?:exactly |precisely |also )?why",
        "either way|bottom line|tl;dr|long story short|simply put|put simply",
        "for (?:this|that|these|those|all these) reasons?",
        "in (?:this|that|any) case",
        "in conclusion",
        "all (?:in all|things considered)",
    ),
    "so finally": ("in the end",),
    "perhaps": ("on the (?:one|other) hand", "or so", "or thereabouts", "give or take", "more or less"),
    "sometimes": (
        "every (?:other|second|third) (?:round|time|turn|game)",
        "in (?:most|some|many|half)(?: of the| such| other)? (?:rounds|games)",
        rf"(?<={OPTION}) ?in (?:most|some|many|other) (?:cases|situations|circumstances)",
    ),
    "previously": (
        r"at (?:first(?: glance| sight)?|the beginning)",
        "(?:in )?(?:the )?(?:last|previous) (?:round|time|week)",
        "in the past",
        "used to",
        "(?:half|most) (?:of )?the time",
        rf"in (?:most|many|some|other) (?:cases|situations|games)(?= ?,? ?(?:i |{OPTION}))",
        "as a rule",
        "in (?:theory|general|principle)",
    ),
}
"""Phrases by the word that replaces them, in the order of replacement."""


def _compiled(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)")


_REPLACEMENTS = [(_compiled((phrase,)), word) for phrase, word in (MISSPELLINGS | CONTRACTIONS).items()]
_REPLACEMENTS += [(_compiled(phrases), word.strip()) for word, phrases in PHRASES.items()]


def write_out(text: str) -> str:
    """Correct misspellings, write out contractions, and replace phrases by single words; `text` is in lower case."""
    for pattern, word in _REPLACEMENTS:
        text = pattern.sub(word, text)
    return text
