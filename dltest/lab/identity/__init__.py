"""The lab's identity provider: an OpenID Connect issuer that gives tokens of the WLCG profile.

Two nodes (`python -m dltest.lab.identity NODE.json`) share keys and grants in one folder; a
balancer (`python -m dltest.lab.identity.balancer`) stands before them under the issuer's name.
The protocol is Authlib's; here is only what it leaves to an issuer, and what the profile says of
tokens (https://github.com/WLCG-AuthZ-WG/common-jwt-profile).
"""
