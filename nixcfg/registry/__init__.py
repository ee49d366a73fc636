"""Asks an image registry what a tag is: the distribution API of OCI, for `nixcfg pin`."""
