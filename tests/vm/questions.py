"""The three requests of the README, and the stand-in's answer."""

QUESTION = {"role": "user", "content": "What is the meaning of life?"}
PLAIN: dict[str, object] = {"model": "claude-3-7-sonnet", "messages": [QUESTION]}
SYSTEM_MESSAGE: dict[str, object] = {
    "model": "claude-3-7-sonnet",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant that gives concise answers."},
        QUESTION,
    ],
}
STREAMING: dict[str, object] = {
    "model": "claude-3-7-sonnet",
    "messages": [{"role": "user", "content": "Write a short poem about coding."}],
    "stream": True,
}
ANSWER = "Forty-two, as far as anybody knows."
