"""nix/vm-tests.nix needs KVM and a binary cache to run; here its machines are evaluated."""

import pytest


@pytest.fixture(scope="module")
def tests(nix):
    return nix("vm_tests.nix", nixpkgs="<nixpkgs>")


@pytest.mark.parametrize("name", ["vm-docker", "vm-podman", "vm-switch"])
def test_machine_evaluates_without_complaint(tests, name):
    assert tests[name]["assertions"] == []
    assert tests[name]["warnings"] == []
    assert "litellm-proxy-secrets" in tests[name]["services"]


@pytest.mark.parametrize("name", ["vm-docker", "vm-podman", "vm-switch"])
def test_script_is_python(tests, name):
    compile(tests[name]["script"], name, "exec")


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_machine_runs_the_backend_that_the_script_asks(tests, backend):
    assert f"{backend}-litellm-proxy" in tests[f"vm-{backend}"]["services"]
    assert f"{backend} exec litellm-proxy" in tests[f"vm-{backend}"]["script"]
