"""The lab's identity provider: an OpenID Connect issuer that gives tokens of the WLCG profile."""
