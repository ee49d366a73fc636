"""What is installed where a registry lacks what LiteLLM pins."""

from tool import load

load("compare_knowledge")
from learn import environment  # noqa: E402 - beside the program

METADATA = [
    "openai<3,>=2.8.0",
    "uvicorn<1,>=0.33 ; extra == 'proxy'",
    'orjson<4 ; python_version < "3.14" and extra == "proxy"',
    "litellm-proxy==1.110.2 ; extra == 'proxy'",
    "litellm-proxy-extras==0.4.114.post1 ; extra == 'proxy'",
    "prisma==0.11.0 ; extra == 'extra-proxy'",
]
"""As 1.110.2 has them: the proxy in a package of its own, which not every registry has."""


def test_what_the_extra_asks_for():
    assert list(environment.of_extra(METADATA)) == [
        "uvicorn<1,>=0.33",
        'orjson<4; python_version < "3.14"',
        "litellm-proxy==1.110.2",
        "litellm-proxy-extras==0.4.114.post1",
    ]


def test_what_is_tried_gets_farther_from_what_is_pinned():
    asked = list(environment.of_extra(METADATA))
    left_out = 'litellm-proxy ; python_version < "3"'
    assert list(environment.ways_around(asked)) == [
        ["litellm-proxy==1.110.2.*", "litellm-proxy-extras==0.4.114.*"],
        ["litellm-proxy-extras==0.4.114.*", left_out],
        ["litellm-proxy-extras", left_out],
    ]


def test_the_extra_of_nixcfg_takes_any_build():
    asked = list(environment.of_extra(METADATA))
    assert environment.extra("1.110.2", asked) == [
        "litellm==1.110.2",
        "uvicorn<1,>=0.33",
        'orjson<4; python_version < "3.14"',
        "litellm-proxy==1.110.2.*",
        "litellm-proxy-extras==0.4.114.*",
    ]
