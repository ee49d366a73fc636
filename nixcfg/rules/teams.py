"""What default_team_settings of litellm_settings may hold for a team: callbacks, and no limits."""

from collections.abc import Iterator

from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, Severity, Steps
from nixcfg.project.nearest import nearest
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument
from nixcfg.yamltext.document import Map

_SETTINGS: Steps = ("litellm_settings", "default_team_settings")
_OWN = frozenset({"team_id", "success_callback", "failure_callback"})
_VARIABLES = "callback_vars"


@EveryDocument
def _variables(config: Config) -> Iterator[Problem]:
    """LiteLLM takes what is not a callback for a variable of one, and fails on others."""
    known = config.knowledge.entries.team_variables
    teams = config.section(str(_SETTINGS[0])).get(str(_SETTINGS[1]))
    for index, team in enumerate(teams if isinstance(teams, list) and known else ()):
        if not isinstance(team, Map) or "team_id" not in team:
            continue
        path, given = (*_SETTINGS, index), team
        if isinstance(team.get(_VARIABLES), Map):
            path, given = (*path, _VARIABLES), team[_VARIABLES]
        for key in given:
            if key not in known and (given is not team or key not in _OWN):
                yield _unknown(config, (*path, key), nearest(key, known))


TEAM_REFUSED = Rule("NX232", Severity.ERROR, standalone=Severity.WARNING)


def _unknown(config: Config, path: Steps, guess: str) -> Problem:
    return config.document.problem(
        TEAM_REFUSED,
        path,
        f"every request of this team fails: {path[-1]} is no variable of a callback",
        help=f"Did you mean {guess}?"
        if guess
        else "Remove it: what a team may do is in the database.",
        key=True,
        fix=Fix((RenameKey(path, guess),), safe=False) if guess else None,
    )
