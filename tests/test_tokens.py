"""The words of a class's token."""

from __future__ import annotations

import pytest

from nbserver import tokens


def test_tokens_are_new_each_time_and_long():
    made = {tokens.new_token() for _ in range(100)}
    assert len(made) == 100 and {len(token) for token in made} == {32}


def test_a_proof_is_of_this_token_and_this_nonce():
    token, nonce = tokens.new_token(), tokens.nonce_in(tokens.challenge("abc"))
    assert nonce == "abc"
    right = tokens.proof(token, nonce)
    assert tokens.is_right(right.replace(b"\n", b"\r\n"), tokens.proof(token, nonce))
    assert not tokens.is_right(tokens.proof(token, "abd"), right)
    assert not tokens.is_right(tokens.proof("another", nonce), right)
    assert token.encode() not in right


@pytest.mark.parametrize("line", [b"", b"HELLO x\n", b"PROVE\n", b"\xff\n"])
def test_what_is_no_challenge_has_no_nonce(line):
    assert tokens.nonce_in(line) == ""
