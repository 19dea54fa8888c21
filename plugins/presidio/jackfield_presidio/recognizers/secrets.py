"""API keys and tokens that are known by how they begin."""

from __future__ import annotations

from jackfield_presidio.recognizers.finder import Finder, by_shape

__all__ = ["api_key", "jwt"]

_BODY = "[A-Za-z0-9_-]"
_PREFIXES = {
    # begins with: characters that must follow at least
    "sk-": 16,  # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek
    "(?:sk|rk|pk)_(?:live|test)_": 12,  # Stripe
    "whsec_": 16,
    "gh[pousr]_": 20,  # GitHub
    "github_pat_": 20,
    "gl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent)-": 16,  # GitLab
    "(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ABIA|ACCA)(?=[A-Z0-9]{16})": 16,  # AWS
    "AIza": 30,  # Google
    "GOCSPX-": 20,
    "ya29\\.": 20,
    "xox[abeoprs]-": 10,  # Slack
    "xapp-": 10,
    "hf_": 20,  # Hugging Face
    "gsk_": 20,  # Groq
    "xai-": 20,
    "pplx-": 20,
    "r8_": 20,  # Replicate
    "nvapi-": 20,
    "tgp_v1_": 20,
    "fw_": 20,
    "npm_": 20,
    "pypi-": 20,
    "dckr_pat_": 16,
    "do[opr]_v1_": 20,  # DigitalOcean
    "shp(?:at|ca|pa|ss)_": 16,  # Shopify
    "SG\\.": 20,  # SendGrid
    "SK(?=[0-9a-f]{32})": 32,  # Twilio
    "key-(?=[0-9a-f]{32})": 32,  # Mailgun
    "dapi(?=[0-9a-f]{32})": 32,  # Databricks
    "ATATT": 20,  # Atlassian
    "lin_api_": 16,
    "(?:ntn|secret)_(?=[A-Za-z0-9]{32})": 32,  # Notion
    "PMAK-": 20,  # Postman
    "tskey-": 16,  # Tailscale
    "gl(?:sa|c)_": 20,  # Grafana
    "hv[sbr]\\.": 20,  # Vault
    "sntry[su]_": 20,
    "sq0(?:atp|csp)-": 20,  # Square
    "EAAA(?=[A-Za-z0-9_-]{40})": 40,
    "AGE-SECRET-KEY-1": 20,
    "phc_": 20,
    "figd_": 20,
    "vercel_": 20,
}
_DOTTED = "(?:\\.{1,2}[A-Za-z0-9_-]+)*"


def api_key() -> Finder:
    """Return the finder of keys of well-known issuers: from the prefix to the end, however long."""
    prefixes = "|".join(f"{prefix}{_BODY}{{{least}}}" for prefix, least in _PREFIXES.items())
    return by_shape(
        (rf"(?<![A-Za-z0-9])(?:{prefixes}){_BODY}*+(?:(?<=[A-Za-z0-9_-]){_DOTTED})", 0.95),
        (r"(?<![0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,36}(?![A-Za-z0-9_-])", 0.9),  # Telegram
    )


def jwt() -> Finder:
    """Return the finder of JSON web tokens: what begins as a header and goes on as a payload, or is far too long."""
    return by_shape(
        (rf"(?<![A-Za-z0-9])eyJ{_BODY}{{10,}}+\.{_BODY}{{4,}}+{_DOTTED}", 0.95),
        (rf"(?<![A-Za-z0-9])eyJ{_BODY}{{160,}}+{_DOTTED}", 0.6),
    )
