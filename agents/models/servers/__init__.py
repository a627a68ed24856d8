"""Language models behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, hosted services.

`ServerBackend` (module server) is opened by the specification ``openai:MODEL@URL``. The parts, from the bottom up:
settings and address; faults and what servers say in them; the budget; the transport; the dialect that a server was
found to speak; its answers as data; probabilities of labels from listed tokens; what a server was found to be able to.
"""
