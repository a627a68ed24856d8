"""Conditions that only say that the writer plays, "if I were a player"; other words for "if" and "because"."""

from dilemmas.agents.models.reading.options import OPTION

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
