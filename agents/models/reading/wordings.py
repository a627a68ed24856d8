"""Words that phrases are made of: contractions, misspellings, conditions that are none, acts and their names."""

from dilemmas.agents.models.reading.options import OPTION

CONTRACTIONS = {
    r"(i|you|we|they|he|she|it|that)'ll": r"\1 will",
    r"(i|you|we|they|he|she|it)'d": r"\1 would",
    r"i'?m": "i am",
    r"i'?mm?a": "i will",
    r"i'?(?:ll|d)(?= (?:go|choose|pick|select|take|play)\b)": "i would",
    r"(i|you|we|they|would|could|should|might)'ve": r"\1 have",
    r"(you|we|they)'re": r"\1 are",
    r"(it|that|he|she|here|there|what|answer|choice|decision|pick|move)'s": r"\1 is",
    r"let'?s": "let us",
    "lemme": "let me",
    r"pl[sz]|(?<!i )kindly(?= (?:choose|pick|select|go)\b)": "please",
    r"(?:wo|sha)n'?t": "will not",
    r"can'?t|cannot": "can not",
    r"(do|does|did|would|could|should|is|are|was|have|has)n'?t": r"\1 not",
}

MISSPELLINGS = {
    "choise|choic|chioce|chocie": "choice",
    "(?:(?<=my )|(?<=final )|(?<=the ))chose(?= (?:is|would|will|:)|:)": "choice",
    "chosse|chooose|choos|(?:(?<=will )|(?<=would )|(?<='ll )|(?<='d )|(?<=to ))chose": "choose",
    "(?:choos|choss)eing|chosing|choseing": "choosing",
    "decison|desicion|decission|desision|descision": "decision",
    "anwser|awnser|asnwer|answear|anser|answere": "answer",
    "opton|optoin|opiton|optin": "option",
}
"""Common misspellings of the words for an answer, by what is meant."""

_GAME = "(?:game|scenario|situation|dilemma|experiment|interaction|position|choice|decision|case)"

_HERE = rf"(?: (?:in|at|of) (?:this|such an?|the|that)(?: [a-z]+)? {_GAME})?"
"""The question of the reply, after a noun."""

_SITUATED = (
    r"(?:in|facing|faced with|given|presented with|playing|making|part of) "
    rf"(?:this|such an?|the|that)(?: [a-z]+)? {_GAME}"
    r"(?! (?:and|or|but|where|when|of)\b)"
)
"""The question of the reply, after "if I were"."""

_DECIDE = "(?:choose|pick|decide|answer|select|commit|go|guess)"

_TAKE_PART = (
    rf"(?:play|participate|take part|engage|be involved|join|{_DECIDE}"
    r"|(?:make|give|have) an? (?:choice|decision|answer))"
    r"(?: (?:an|one) (?:option|action|answer)| one| between them)?"
    rf"(?: (?:in |at )?(?:this|such an?|the|that) (?:[a-z]+ )?{_GAME})?"
    r"(?: (?:myself|personally|here|now|right now|today|as (?:a|the) (?:human|person|player|participant)))?"
)
"""What a writer does who answers."""

_PLAYER = (
    "(?:human|(?:an?|the|one of the|among the) (?:human |real |actual )?"
    "(?:players?|participants?|humans?|person|people|decision[ -]maker|human being))"
)

_ENDS = r"(?= ?(?:[,.;:!\n)–-]|$|i (?:would|will|choose|pick|select|go)\b|(?:it|my (?:choice|answer)) would be\b))"
"""The end of a condition, which says no more."""

PICKING = (
    r"(?:(?:to )?(?:(?:choos|pick|select|giv|play|contribut|putt?)(?:e|ing)?(?: in)?"
    r"|(?:go|opt|vote?)(?:ing)? (?:with|for)) ?)"
)
"""A verb for the writer's choice before an option."""

NO_CONDITIONS = (
    rf"if (?:i|one) (?:really |absolutely )?(?:had|have|must|need|(?:am|was|were)(?: forced)?)(?: to)?"
    rf" {_DECIDE}(?: one| between them)?(?! ?{OPTION}| for (?!myself\b)| again\b)",
    rf"if(?: i (?:were|was|am|had|have|could|can|did))?(?: (?:to|ever|actually|really|asked))*"
    rf" (?:{_TAKE_PART}|(?:face|encounter|be in|find myself in) (?:this|such an?|the) (?:[a-z]+ )?{_GAME}){_ENDS}",
    r"if i (?:(?:played|joined)(?: (?:this|such an?|the) game)?|participated|took part|had a (?:choice|say|vote))"
    rf"{_HERE}{_ENDS}",
    rf"if (?:i (?:were|was|am) )?(?:(?:actually|really|myself) )?"
    rf"(?:{_PLAYER}|(?:the one )?(?:playing(?: this| it)?(?: for real)?|participating|taking part|choosing|deciding))"
    rf"{_HERE}{_ENDS}",
    rf"if (?:(?:i|one) (?:were|was|am|are|found myself|had to be) (?:really |actually )?)?{_SITUATED}",
    r"(?<=but )if i (?:treat|view|regard|approach|look at|consider) (?:this|it|the [a-z]+)[^,.;:\n]{0,80}(?=,)",
    r"if (?:i (?:am|was|were) )?(?:pressed|forced|pushed|asked|made)(?: to (?:choose|pick|decide|answer|select))?",
    r"(?:when|if) (?:choosing|deciding|having to choose|asked)(?: to choose)?(?= {0,3},)",
    "(?:unless|if) i am (?:not )?(?:mistaken|wrong)",
    "if (?:i may|you ask me|i am (?:being )?honest|push comes to shove|in doubt|need be)",
    r"if (?:it is all the same(?: to you)?|you (?:are asking me|must know)|you (?:insist|please(?! \w)))",
    "when (?:all is said and done|push comes to shove|it comes (?:right )?down to it)",
    "if (?:it|the (?:choice|decision)) (?:were|was|is) (?:up to me|mine)",
    "if i (?:put|imagine|place|picture) myself (?:in|into) (?:this|that|the|your|such an?) (?:[a-z]+ )?"
    "(?:situation|scenario|position|place|shoes|role)",
)
"""Conditions that are none."""

WORDS_FOR_IF = (
    "(?:as|so) long as",
    "as soon as",
    r"provided(?= (?:that|they|he|she|we|everyone|the|my)\b)",
    "on (?:(?:the|one|a) )?condition",
    "(?:but )?only once",
    "(?:only )?in case",
    "were (?:it|they|i|he|she|we)",
    "(?:had|should) (?:they|he|she|we)",
)
"""Other words that open a condition."""

PLAIN_REASONS = (
    r"(?:^|(?<=[.!?,\n] )|(?<=but )|(?<=and ))(?:since|because|as) (?P<why>(?:we|they|he|she|(?:my|the) [a-z]+)"
    r"(?: (?!(?:when|whenever|if|that|how|what|who|whether|because|before|after|until|than|and|or|but|as|so|like"
    r"|now|only|thinks?|knows?|hopes?|expects?|believes?|sa(?:y|ys|id)|tell|told|sees?|wants?|wish|predicts?|assumes?|asked?|fears?"
    r"|sure|certain|afraid|aware|convinced|confident|happy|glad|likely|[a-z]+ing)\b)[a-z]+){2,7})"
    rf"(?= i (?:will |would |shall |am |should )?{PICKING}?{OPTION})",
)
"""Reasons without a comma: "since we are friends I choose C"."""

WORDS_FOR_BECAUSE = (
    r"(?<=,) ?as(?! \w+ says?\b)"
    r"(?= (?:it|this|that|i|they|we|he|she|there|the|my|our|both|neither|either|otherwise)\b)",
    rf"(?<={OPTION}) ?(?:is(?: that| because)|,? ?not because)",
    rf"until(?![^.;!?\n]{{0,80}}{OPTION})|(?<=,) ?assuming(?![^.;!?\n]{{0,120}}{OPTION})",
    "if only(?: to| for| because)",
    "'?(?:cause|cos|coz|cuz)",
    "so that(?! is )",
    "in order to",
    "so as to",
    "due to|thanks to",
)
"""Other words that open a reason."""

NAMED_ACT = (
    r"(?:cooperati(?:on|ng)|defecti(?:on|ng)|betray(?:al|ing)|collaborati(?:on|ng)|competi(?:tion|ng)"
    r"|(?:trust|shar|splitt|steal|keep|cheat|exploit|confess|contribut)ing"
    r"|(?:cooperative|competitive|selfish|defecting|cooperating) (?:option|choice|strategy|action|move|approach))"
)
"""Nouns for what an option does: its name stands in brackets after them, "cooperation (C)"."""

SAFELY = (
    r"(?:play(?:ing)? (?:it |things )?(?:safe|nice|fair|smart|cautious|straight)"
    r"|(?:take|taking|run|running) (?:the|a|this|that|my) (?:[a-z]+ )?(?:risks?|chances?|gamble|leap(?: of faith)?)"
    r"|(?:take|taking) the [a-z]+ (?:route|road|path|way|approach)|test(?:ing)? the waters?"
    r"|set(?:ting)? (?:an|a good) example|show(?:ing)? (?:goodwill|good will|good faith)"
    r"|(?:support|help)(?:ing)? the group"
    r"|(?:stay|keep|be|err)(?:ing)? (?:on the (?:safe )?side(?: of [a-z]+)?|safe|cautious|careful))"
)
"""What is done by choosing an option: "play it safe with C", "take the risk with C"."""

OWN_PARTY = (
    r"(?:my|our) (?:own )?(?:company|firm|government|country|nation|state|team|side|delegation|ministry|organi[sz]ation"
    r"|household|club|party|council|union|army|business|store|shop|airline|bank|city|village|tribe|crew)"
)
"""The writer's own side, which acts as one."""

PICKS = (
    r"(?: (?:will|shall))?(?: (?:therefore|thus|also|definitely|now))?"
    r" (?:choose|pick|select|go(?:es)? with|(?:opt|vote)s? for|(?:settle|decide)s? (?:on|for))s?"
)

_VERB = r"(?= (?:might|may|could|can|would|will|should|is|does|has|also|only|always|[a-z]{3,}s)\b)"
"""A verb whose subject the option before it is."""

NAMED_IN_BRACKETS = {
    "mutual action": (rf"(?:mutual |joint )?{NAMED_ACT} ?\( ?{OPTION} ?[,/] ?{OPTION} ?\)",),
    r"\g<named>": (rf"(?:the )?{NAMED_ACT} ?\( ?(?:option )?(?P<named>{OPTION}) ?\){_VERB}",),
    r"\g<called> \g<answer>": (
        r"(?P<called>(?:choice|answer|decision) (?:is|would be|will be)|choose|pick|select|prefer"
        r"|(?:go|opt) (?:with|for)|over|than)"
        rf" {NAMED_ACT} ?\( ?(?:option )?(?P<answer>{OPTION}) ?\)",
    ),
    r"\g<glossed>": (rf"(?P<glossed>{OPTION}) ?\( ?(?:mutual )?{NAMED_ACT} ?\){_VERB}",),
}
"""An option beside the name of its act, by what replaces them: "cooperation (C) could pay more" tells of C."""

JOINED_ACTS = {
    r"\g<opening>": (
        r"(?P<opening>i (?:(?:would|will|am going to|plan to) )?(?:start|begin|open)(?: out)? (?:with|by)(?: choosing)?"
        rf" ?{OPTION}) ?,? ?and (?:then )?(?:mirror|copy|match|imitate|repeat)(?: [a-z']+){{1,8}}?"
        r" (?:afterwards?|thereafter|after that|from (?:then|there) on|in (?:later|subsequent|the following) rounds)"
        r"(?= ?(?:[.!\n]|$))",
    ),
    r"i choose \g<agreed>": (
        rf"let us both (?:{PICKING}|go (?:with|for) )?(?P<agreed>{OPTION}) ?[.!,;–-]{{1,3}} ?i am (?:in|game|on board)"
        r"(?= ?(?:[.!\n]|$))",
    ),
}
"""A choice with what follows it in later rounds, or with the writer's consent, by what replaces them."""
