"""MCP servers and pass-through endpoints: whether they lead anywhere, and what they take along."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.entries import LEFT_OUT, spelt
from nixcfg.rules.scope import EveryDeployment, EveryDocument, ModelFile
from nixcfg.yamltext.document import Map

_STDIO_SWITCH = "LITELLM_ENABLE_MCP_STDIO"


@ModelFile
def _mcp_servers(config: Config) -> Iterator[Problem]:
    servers = config.data.get("mcp_servers")
    for name, server in servers.items() if isinstance(servers, Map) else ():
        if isinstance(server, Map):
            yield from _mcp_server(config, ("mcp_servers", name), server)


def _mcp_server(config: Config, path: Steps, server: Map) -> Iterator[Problem]:
    transport = server.get("transport", "http")
    wanted = ("command",) if transport == "stdio" else ("url", "spec_path")
    if transport in ("stdio", "http", "sse") and not any(server.get(key) for key in wanted):
        yield config.document.problem(
            LEFT_OUT,
            path,
            f"{spelt(path)} has no {wanted[0]}: every call of its tools fails",
            help=f"Add {wanted[0]}.",
            key=True,
        )
    if transport == "stdio" and not _is_on(config, _STDIO_SWITCH):
        problem = config.document.problem(
            LEFT_OUT,
            (*path, "transport"),
            f"LiteLLM starts no MCP server of its own unless {_STDIO_SWITCH} is true",
            help=f'Set {_STDIO_SWITCH}: "true" in environment_variables, or give the server a url.',
        )
        # Of a file alone no one knows the environment.
        yield replace(problem, level=Severity.NOTE) if config.standalone else problem


def _is_on(config: Config, variable: str) -> bool:
    for section in (config.environment, config.context.environment):
        if variable in section:
            value = section[variable]
            return bool(referenced(value)) or str(value).strip().lower() == "true"
    return variable in config.context.secrets


FORWARDS_KEY = Rule("NX323", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _pass_through(config: Config) -> Iterator[Problem]:
    """What a client signs in with goes on to the target, unless the endpoint has its own header."""
    endpoints = config.section("general_settings").get("pass_through_endpoints")
    for index, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
        if not isinstance(endpoint, Map) or endpoint.get("forward_headers") is not True:
            continue
        if endpoint.get("target") and not _has_own_key(endpoint.get("headers")):
            yield config.document.problem(
                FORWARDS_KEY,
                ("general_settings", "pass_through_endpoints", index, "forward_headers"),
                "the key of the gateway that a client sends goes on to the target",
                help="Remove forward_headers, or give headers an Authorization of the target's.",
            )


def _has_own_key(headers: Any) -> bool:
    return isinstance(headers, Map) and any(
        str(name).lower() == "authorization" for name in headers
    )


@EveryDeployment
def _vertex(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """LiteLLM drops a Vertex deployment that is to serve pass-through and says not where."""
    params = deployment.params
    if params.get("use_in_pass_through") is not True or deployment.provider != "vertex_ai":
        return
    missing = [key for key in ("vertex_project", "vertex_location") if not params.get(key)]
    if missing and not params.get("litellm_credential_name"):
        yield config.document.problem(
            LEFT_OUT,
            (*deployment.params_path, "use_in_pass_through"),
            f"LiteLLM drops this deployment: use_in_pass_through needs {' and '.join(missing)}",
            help=f"Add {' and '.join(missing)}, or remove use_in_pass_through.",
        )
