"""A NixOS module that fetches an image when the system is built, not when the service starts."""

from nixcfg.project import wiring
from nixcfg.registry.reference import Reference
from nixcfg.render.nix import literal


def pull_image(reference: Reference, digest: str, *, tls: bool = True) -> str:
    """The module for an image with this digest. Its hash is nixpkgs' placeholder.

    `image` loses its digest there: an archive that is loaded has tags and no digest, and the
    engine would fetch what it does not find. The build checks the digest in its place.
    """
    name = f"{reference.registry}/{reference.repository}"
    tag = reference.wanted or digest.removeprefix("sha256:")[:12]
    prefetch = f"nix-prefetch-docker --image-name {name} --image-digest {digest}"
    lines = [
        "{ lib, pkgs, ... }:",
        "{",
        f"  {wiring.OPTIONS} = {{",
        f"    image = {literal(f'{name}:{tag}')};",
        "    imageFile = pkgs.dockerTools.pullImage {",
        f"      imageName = {literal(name)};",
        f"      imageDigest = {literal(digest)};",
        f"      finalImageName = {literal(name)};",
        f"      finalImageTag = {literal(tag)};",
        *(() if tls else ("      tlsVerify = false;",)),
        "      # Another one for each architecture. The first build fails and names it, or ask:",
        f"      # {prefetch} --final-image-tag {tag}",
        "      hash = lib.fakeHash;",
        "    };",
        "  };",
        "}",
    ]
    return "\n".join(lines) + "\n"
