"""What the module writes of a machine that has next to nothing, for tests to add to."""

DEPLOYED = {
    "access": "", "auth": "open", "backend": "podman", "config": "", "database": "",
    "environment": {}, "hasSettings": False, "hostPorts": [], "image": "", "instances": 1,
    "keyFiles": {}, "listenAddress": "::1", "metrics": False, "modelConfig": "all", "module": "",
    "port": 1, "published": {}, "redis": "", "revisions": {}, "valueFiles": {}, "workers": 1,
}  # fmt: skip
