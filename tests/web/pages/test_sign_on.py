"""Log-in at an issuer: there and back in a browser, and all that must not let anybody in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from lepton_ai.errors import Malformed, Refused
from lepton_ai.web import rates
from lepton_ai.web.door.login import SEALED, IssuerLogin
from lepton_ai.web.door.oidc import Issued
from lepton_ai.web.door.seal import Seal
from lepton_ai.web.options import Issuer, LoginClient
from lepton_ai.web.options import issuer as issuer_of
from lepton_ai.web.served import SIGNER, ServedLedger

from ..issuer import AUDIENCE, CLIENT, SECRET, SmallIssuer, issuing, other_key
from ..server import Served, served
from .story import told

HTML: Final = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def shared() -> Iterator[SmallIssuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def issuer(shared: SmallIssuer) -> SmallIssuer:
    """The issuer, as nobody has tampered with it."""
    shared.claims, shared.access, shared.signer, shared.is_away = {}, None, None, False
    return shared


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared: SmallIssuer) -> Iterator[Served]:
    """A ledger called localhost, which to a browser is another site than the issuer's 127.0.0.1."""
    named = Issuer(shared.url, AUDIENCE, client=LoginClient(CLIENT, SECRET))
    home = tmp_path_factory.mktemp("issued")
    with served(home, issuer=named, hosts=("localhost",), proxies=("127.0.0.1",)) as server:
        told(server.manager)
        server.url = server.url.replace("127.0.0.1", "localhost")
        yield server


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={**HTML, "Origin": server.url}) as client:
        yield client


def agreed(http: httpx.Client, place: str = "/m/credit") -> str:
    """Begin a log-in and agree at the issuer: the address that the browser is sent back to."""
    begun = http.get("/login/issuer", params={"next": place})
    assert begun.status_code == 303
    page = httpx.get(begun.headers["location"])
    link = re.search(r'href="([^"]+)"', page.text)
    assert link is not None
    return httpx.get(str(page.url.join(unescape(link[1])))).headers["location"]


def refusal(answer: httpx.Response) -> str:
    """The sentence of a log-in that was refused; nobody is let in."""
    assert answer.status_code in (403, 503), answer.text
    assert "lepton=" not in answer.headers.get("set-cookie", "").replace('lepton-login=""', "")
    found = re.search(r'<p class="refusal" role="alert"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_there_and_back_and_out_again_in_a_browser_without_javascript(
    server: Served, issuer: SmallIssuer, browser: Any
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{server.url}/m/credit?at=30")
    page.get_by_role("link", name="Log in with 127.0.0.1").click()
    page.get_by_role("link", name="I am ada").click()
    page.wait_for_url(f"{server.url}/m/credit?at=30")
    assert "You are ada" in page.locator("footer").inner_text()
    (held,) = (each for each in context.cookies() if each["name"] == "lepton")
    assert (held["httpOnly"], held["sameSite"]) == (True, "Strict")
    assert [each["name"] for each in context.cookies()] == ["lepton"]

    goodbyes = issuer.goodbyes
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{server.url}/login")
    assert issuer.goodbyes == goodbyes + 1
    assert context.cookies() == []
    page.goto(f"{server.url}/m/credit")
    assert "/login?next=" in page.url
    context.close()


def test_a_session_is_small_says_what_one_may_and_holds_at_every_replica(
    server: Served, issuer: SmallIssuer, http: httpx.Client
) -> None:
    issuer.access = issuer.token(scope="lepton:read", lepton_models=["oth*"])
    back = http.get(agreed(http, "/m/other%2Ejson"))

    assert back.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/m/other%2Ejson">' in back.text
    assert http.get("/m/other%2Ejson").status_code == 200
    assert http.get("/m/credit").status_code == 404
    session = http.cookies["lepton"]
    assert len(session) < 500
    replica = ServedLedger(server.manager, server.service.home, server.service.options)
    assert replica.visitor(session) == server.service.visitor(session) is not None


def test_an_access_token_that_says_nothing_leaves_it_to_the_id_token(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.access, issuer.claims = "opaque", {"scope": "openid lepton:move"}
    http.get(agreed(http))

    assert "You are ada" in http.get("/m/credit").text


def test_under_tls_no_other_host_sets_the_cookies(issuer: SmallIssuer, http: httpx.Client) -> None:
    begun = http.get("/login/issuer", headers={"X-Forwarded-Proto": "https"})
    cookie = begun.headers["set-cookie"]

    assert cookie.startswith("__Host-lepton-login=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"))
    assert "redirect_uri=https%3A%2F%2Flocalhost" in begun.headers["location"]


@pytest.mark.parametrize(
    "changed",
    [{"state": "guessed"}, {"state": ""}, {"code": ""}, {"code": "guessed"}, {"iss": "https://evil.example"}],
    ids=str,
)
def test_what_comes_back_otherwise_lets_nobody_in(
    issuer: SmallIssuer, http: httpx.Client, changed: dict[str, str]
) -> None:
    refusal(http.get(httpx.URL(agreed(http)).copy_merge_params(changed)))


def test_a_log_in_of_another_browser_is_not_taken(issuer: SmallIssuer, http: httpx.Client) -> None:
    place = agreed(http)

    assert "not begun by this browser" in refusal(httpx.get(place, headers=HTML))


def test_a_code_is_taken_once(issuer: SmallIssuer, http: httpx.Client) -> None:
    place, kept = agreed(http), http.cookies["lepton-login"]
    assert http.get(place).status_code == 200

    with httpx.Client(headers=HTML) as again:
        assert "not begun by this browser" in refusal(again.get(place))
        again.cookies.set("lepton-login", kept)
        assert "(invalid_grant)" in refusal(again.get(place))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another log-in"}, {"nonce": None}, {"aud": "another"}, {"iss": "https://evil.example"},
        {"exp": 1}, {"azp": "another"}, {"sub": "eve"}, {"aud": AUDIENCE}, {"aud": [CLIENT, "another"]},
    ],
    ids=str,
)  # fmt: skip
def test_an_id_token_that_is_not_of_this_log_in_is_refused(
    issuer: SmallIssuer, http: httpx.Client, claims: dict[str, Any]
) -> None:
    issuer.claims = claims
    refusal(http.get(agreed(http)))


def test_an_id_token_of_several_names_who_asked(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    http.get(agreed(http))

    assert "You are ada" in http.get("/m/credit").text


@pytest.mark.parametrize("claims", [{"exp": 1}, {"iss": "https://evil.example"}], ids=str)
def test_an_access_token_made_out_to_us_that_does_not_hold_is_refused(
    issuer: SmallIssuer, http: httpx.Client, claims: dict[str, Any]
) -> None:
    issuer.claims = {"scope": "lepton:read"}
    issuer.access = issuer.token(lepton_models=["oth*"], **claims)
    assert "says of your rights is not good" in refusal(http.get(agreed(http)))


def test_an_access_token_that_is_badly_signed_is_refused(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.claims = {"scope": "lepton:read"}
    issuer.access = issuer.token(lepton_models=["oth*"])[:-8] + "AAAAAAAA"
    assert "says of your rights is not good" in refusal(http.get(agreed(http)))


def test_an_access_token_of_another_audience_counts_for_nothing(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.access = issuer.token(scope="lepton:admin", aud="another")
    assert "allows nothing here" in refusal(http.get(agreed(http)))

    issuer.claims = {"scope": "lepton:read", "lepton_models": ["oth*"]}
    http.get(agreed(http))
    assert (http.get("/m/other%2Ejson").status_code, http.get("/m/credit").status_code) == (200, 404)


def test_a_strangers_page_ends_no_log_in_under_way(issuer: SmallIssuer, http: httpx.Client) -> None:
    place = agreed(http)
    assert "set-cookie" not in http.get("/login/callback", params={"error": "x", "state": "y"}).headers

    assert http.get(place).status_code == 200


def test_guessed_sessions_are_counted_as_guesses(
    server: Served, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_MINUTE", 6000.0)
    with httpx.Client(base_url=server.url, headers={"X-Forwarded-For": "192.0.2.7"}) as stranger:
        asked = [
            stranger.get("/api/v1/models", headers={"Authorization": f"Bearer {SEALED}{number}"}).status_code
            for number in range(server.service.options.limits.failures + 1)
        ]

    assert (asked[0], asked[-1]) == (401, 429)


def test_whoever_forgets_the_key_of_sessions_ends_them_all(
    tmp_path: Path, shared: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lepton_ai.web.served.FRESH", 0.0)
    named = Issuer(shared.url, AUDIENCE, client=LoginClient(CLIENT, SECRET))
    with served(tmp_path, issuer=named) as server:
        held = sealed(server, 60)
        assert server.service.visitor(held) is not None
        assert server.manager.forget_actor(SIGNER)

        assert server.service.visitor(held) is None
        assert server.service.visitor(sealed(server, 60)) is not None


def test_a_token_that_another_signed_is_refused(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.signer = other_key()
    refusal(http.get(agreed(http)))


def test_whom_the_issuer_allows_nothing_here_is_told_so(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.access = issuer.token(scope="openid")

    assert "allows nothing here" in refusal(http.get(agreed(http)))


def test_more_models_than_a_cookie_holds_are_refused(issuer: SmallIssuer, http: httpx.Client) -> None:
    issuer.access = issuer.token(lepton_models=[f"model-{number}" for number in range(1000)])

    assert "patterns" in refusal(http.get(agreed(http)))


def test_of_an_error_the_code_alone_is_told(issuer: SmallIssuer, http: httpx.Client) -> None:
    state = httpx.URL(http.get("/login/issuer").headers["location"]).params["state"]
    said = {"state": state, "error": "access_denied", "error_description": "call 5550123 now"}
    answer = http.get("/login/callback", params=said)

    assert "(access_denied)" in refusal(answer)
    assert "5550123" not in answer.text


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "/" + "x" * 5000, ""])
def test_nobody_is_sent_to_another_site(issuer: SmallIssuer, http: httpx.Client, place: str) -> None:
    back = http.get(agreed(http, place))

    assert 'content="0; url=/"' in back.text


def test_an_issuer_that_is_away_is_told_in_a_sentence(
    server: Served, issuer: SmallIssuer, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = agreed(http)
    issuer.is_away = True
    assert "cannot be reached now; try again" in refusal(http.get(place))

    client = LoginClient(CLIENT)
    named = Issuer("http://127.0.0.1:9", AUDIENCE, client=client)
    monkeypatch.setitem(
        vars(server.service), "login", IssuerLogin(named, client, Issued(named), Seal(lambda: b"k" * 32))
    )
    assert "127.0.0.1:9 cannot be reached now" in refusal(http.get("/login/issuer"))


def test_a_session_that_ended_is_begun_anew_and_nothing_typed_is_thrown_away(
    server: Served, issuer: SmallIssuer, http: httpx.Client
) -> None:
    http.get(agreed(http))
    held = http.cookies["lepton"]
    ended = sealed(server, -1)
    http.cookies.set("lepton", ended, domain="localhost.local")
    end, failures = server.manager.position(), server.service.failures
    asked = http.get("/m/credit?at=30")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fm%2Fcredit%3Fat%3D30")
    sent = http.post("/m/credit/v/1", data={"name": "seen", "value": "1"})

    assert (sent.status_code, server.manager.position()) == (401, end)
    assert "log in in another tab, then reload this page to send the form again" in sent.text
    assert 'href="/login"' in sent.text
    assert failures.wait("127.0.0.1") == 0, "who was logged in does not guess"
    assert server.service.visitor(held) is not None


def test_a_session_is_of_its_issuer_and_of_its_use(server: Served, issuer: SmallIssuer, http: httpx.Client) -> None:
    kept = http.get("/login/issuer") and http.cookies["lepton-login"]

    assert server.service.visitor(sealed(server, 60)) is not None
    assert server.service.visitor(sealed(server, 60, iss="https://another.example")) is None
    assert server.service.visitor(SEALED + kept) is None
    assert server.service.visitor(SEALED + Seal(lambda: b"k" * 32).sealed("session", 60, {})) is None
    assert server.service.visitor(SEALED) is None


def test_the_client_is_by_settings(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    env = {"LEPTON_SERVE_ISSUER": "https://id.example", "LEPTON_SERVE_AUDIENCE": "ledger"}
    more = {"LEPTON_SERVE_CLIENT": "web", "LEPTON_SERVE_CLIENT_SECRET_FILE": str(file), "LEPTON_SERVE_SESSION": "900"}
    named = issuer_of(env | more)

    assert issuer_of(env) == Issuer("https://id.example", "ledger")
    assert named is not None
    assert named.client == LoginClient("web", "s3cret", "openid", 900.0)
    assert "s3cret" not in repr(named)
    for wrong in (
        {"LEPTON_SERVE_SESSION": "1h"},
        {"LEPTON_SERVE_SESSION": "9"},
        {"LEPTON_SERVE_CLIENT_SCOPES": "email"},
    ):
        with pytest.raises(Malformed):
            issuer_of(env | more | wrong)
    with pytest.raises(Refused, match="cannot be read"):
        issuer_of(env | more | {"LEPTON_SERVE_CLIENT_SECRET_FILE": str(tmp_path / "none")})


def sealed(server: Served, seconds: float, **claims: str) -> str:
    """A session of ada's, as the server seals it."""
    named = server.service.options.issuer
    assert named is not None
    told = {"iss": named.url, "sub": "ada", "scopes": ["write"], "models": ["*"], **claims}
    return SEALED + Seal(lambda: server.service._key(b"sessions")).sealed("session", seconds, told)
