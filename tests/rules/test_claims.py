"""Every rule about LiteLLM makes a claim, which test_oracle.py puts to LiteLLM."""

import pytest
from test_oracle import CLAIMS

from nixcfg.rules import registry

pytestmark = pytest.mark.oracle

NOT_ABOUT_LITELLM = {
    "NX001", "NX002", "NX006", "NX007", "NX011", "NX012", "NX013",  # reading
    "NX005", "NX008",  # YAML itself
    "NX016",  # what import reads: LiteLLM would start without a model (NX401)
    "NX015",  # what the container would find: NX014 proves what LiteLLM does
    "NX101", "NX104",  # nixcfg.yaml
    "NX202", "NX302", "NX303", "NX304", "NX305", "NX325",  # the project
    "NX211",  # needs a Postgres database to show the difference
    "NX228",  # what a vendor bills
    "NX231",  # needs a Postgres database, and time
    "NX412", "NX413",  # what a vendor will do
    "NX434",  # LiteLLM's list of models
    "NX232", "NX435",  # what happens in a request: test_requests.py asks LiteLLM's own functions
    "NX426",  # the project
    "NX427",  # the container: what localhost is in it
    "NX501", "NX502", "NX503", "NX504", "NX505", "NX506", "NX507", "NX508", "NX509", "NX510",
    "NX512", "NX515", "NX519",  # the NixOS module
    "NX513", "NX514", "NX516", "NX517", "NX518", "NX520",  # nixcfg.yaml; tests/scale has the facts
    "NX521", "NX522",  # the release in the image's tag
    "NX523",  # the machine's firewall
    "NX524",  # the registry
    "NX530", "NX531", "NX532", "NX533", "NX534", "NX535", "NX536", "NX537",
    "NX538", "NX539",  # the admin API, which needs a database; tests/access asks it
    "NX511",  # read before the configuration is; tests/proxy runs the whole proxy
}  # fmt: skip


def test_every_rule_about_litellm_makes_a_claim():
    assert set(CLAIMS) | NOT_ABOUT_LITELLM == set(registry.RULES)
    assert not set(CLAIMS) & NOT_ABOUT_LITELLM
