"""`nixcfg pin`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import (
    amended,
    find_root,
    json_option,
    read,
    refusing,
    today,
    without_errors,
)
from nixcfg.commands.output import print_changes, report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixcfg.disk.change import Change
    from nixcfg.project.model import Project
    from nixcfg.registry.pin import Pin
    from nixcfg.registry.reference import Reference

_NEXT = ("nixcfg render", "sudo nixos-rebuild switch")


@click.command()
@click.option(
    "--check",
    "mode",
    flag_value="check",
    help="Write nothing; exit 1 if an image has no digest, or its tag has another one now.",
)
@click.option(
    "-n",
    "--dry-run",
    "mode",
    flag_value="dry-run",
    help="Write nothing; say what would be written.",
)
@click.option(
    "--nix",
    "mode",
    flag_value="nix",
    help="Write nothing; print a NixOS module that fetches the image at build.",
)
@click.option(
    "--insecure-registry",
    "insecure",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Ask this registry without TLS where it has none (repeatable).",
)
@json_option
@click.pass_obj
def command(base: Path, mode: str | None, insecure: tuple[str, ...], form: str) -> int:
    """Tie each image to its digest.

    Asks the registry which image a tag names today, and writes `image: NAME:TAG@sha256:...` into
    nixcfg.yaml, for each host with an image of its own too. A release that is known to be
    compromised is refused. A login is taken from the files of docker and podman.

    \b
    Examples:
      nixcfg pin
      nixcfg pin --check
    """
    if mode == "nix" and form == "json":
        raise click.UsageError("--nix prints Nix, and --json JSON: choose one")
    root = find_root(base)
    ask = _current if mode == "check" else _looked
    pins = _asked(without_errors(root), lambda image: ask(image, insecure))
    if mode == "nix":
        click.echo(_modules(pins, insecure), nl=False)
        return OK
    if form == "text":
        for each in pins:
            report(_line(each))
    images = [_told(each) for each in pins]
    if mode == "check":
        if form == "json":
            print_changes((), (), form, images=images)
        return OK if all(each.is_pinned for each in pins) else PROBLEMS
    changes = _written(root, pins, is_dry=mode == "dry-run")
    if form == "json":
        print_changes(changes, _NEXT if changes else (), form, images=images)
    elif mode == "dry-run" or not changes:
        report("Nothing was written." if changes else "Nothing to change.")
    else:
        print_changes(changes, _NEXT, form)
    return OK


def _asked(project: "Project", ask: "Callable[[Reference], str]") -> "list[Pin]":
    """Each image with its digest, asked for once; where that fails, every reason is given."""
    from nixcfg.registry import reference
    from nixcfg.registry.http import RegistryError
    from nixcfg.registry.pin import Pin, images

    pins, digests, failures = [], dict[str, str](), dict[str, None]()
    for path, image in images(project).items():
        try:
            named = reference.parse(image)
            if image not in digests:
                digests[image] = ask(named)
        except (reference.BadReferenceError, RegistryError) as error:
            failures[f"{error}"] = None
        else:
            pins.append(Pin(path, named, digests[image]))
    for message in failures:
        report(f"Error: {message}")
    if failures:
        raise click.exceptions.Exit(PROBLEMS)
    return pins


def _current(image: "Reference", insecure: "Sequence[str]") -> str:
    """The digest to compare with, for as little as it costs; "" for an image that has none."""
    from nixcfg.registry.client import Client

    if not image.digest:
        return ""
    client, asked = Client(image, insecure), image.wanted or image.digest
    digest = client.digest(asked)
    return digest if digest == image.digest else client.manifest(asked).digest


def _looked(image: "Reference", insecure: "Sequence[str]") -> str:
    """The digest of an image that may be used."""
    from nixcfg.registry.client import Client
    from nixcfg.registry.http import RegistryError
    from nixcfg.registry.image import look
    from nixcfg.registry.pin import refusal

    found = look(Client(image, insecure), image.wanted or image.digest)
    if why := refusal(image, found):
        raise RegistryError(why)
    if not found.is_litellm:
        report(f"Warning: {image} does not look like LiteLLM: its configuration starts no litellm.")
    if len(found.platforms) == 1:
        report(f"Note: {image} is for {found.platforms[0]} alone.")
    return found.digest


def _written(root: Path, pins: "list[Pin]", *, is_dry: bool) -> "Sequence[Change]":
    from nixcfg.disk import files
    from nixcfg.registry.pin import pin

    if not is_dry:
        return amended(root, lambda sources: pin(sources, pins, today()))[1]
    with refusing():
        return files.plan(root, pin(read(root), pins, today()).texts)


def _line(each: "Pin") -> str:
    if each.is_pinned:
        return f"{each.where}: {each.image} is what its registry has."
    if each.image.digest:
        return f"{each.where}: the tag of {each.image} has moved: it is {each.digest} now."
    if not each.digest:
        return f"{each.where}: {each.image} has no digest; `nixcfg pin` writes one."
    return f"{each.where}: {each.pinned}"


def _told(each: "Pin") -> dict[str, str]:
    state = "pinned" if each.is_pinned else "moved" if each.image.digest else "unpinned"
    return {
        "place": each.where,
        "image": f"{each.image}",
        "state": state,
        "pinned": each.pinned if each.digest else "",
    }


def _modules(pins: "list[Pin]", insecure: "Sequence[str]") -> str:
    from nixcfg.registry.reference import is_loopback
    from nixcfg.render.pull_image import pull_image

    places: dict[str, list[str]] = {}
    for each in pins:
        registry = each.image.registry
        tls = not is_loopback(registry) and registry not in insecure
        text = pull_image(each.image, each.digest, tls=tls)
        places.setdefault(text, []).append(each.where)
    if len(places) == 1:
        return next(iter(places))
    return "\n".join(f"# {', '.join(where)}\n{text}" for text, where in places.items())
