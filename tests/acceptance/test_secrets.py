"""Secrets of every kind, planted in one project, are in nothing that the program prints, logs or records.

The node of each pipeline knows all of them, as it reads a file that the settings do not name, and lets them out by
its own way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest
import yaml

# Each is what the settings, the environment or the command line hold as a secret.
ENVIRONMENT = {
    "DB_PASSWORD": "env-password-Xk81",
    "API_KEY": "env-api-key-Xk82",
    "GITHUB_TOKEN": "env token/with %&?-Xk83",
    "AWS_SECRET_ACCESS_KEY": "/env+aws/secret==Xk84",
    "SIGNING_SECRET": "env-'quoted'-\"twice\"-Xk85",
    "SERVICE_CREDENTIALS": "env-credentials-Xk86",
    "PRIVATE_KEY": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqXk87\nhkiG9w0BAQEFAAXk87\n-----END KEY-----",
    "DB_URL": "postgres://reader:env-url-password-Xk88@host/db",
    "STORE": "jdbc:sqlserver://h;user=u;password=env-jdbc-Xk89;x=1",
    "STRIPE_API_KEY": "env-not-referred-to-Xk90",
    "SLACK_BOT_TOKEN": "env-ünïcode-token-Xk91",
}
LITERALS = {
    "default": "literal-default-Xk01",
    "nested default": "literal-nested-default-Xk02",
    "url": "literal-url-Xk03",
    "url with signs": "literal@url:signs-Xk04",
    "escaped url": "literal%40escaped-Xk05",
    "jdbc property": "literal-jdbc-Xk06",
    "jdbc braces": "literal;braces-Xk07",
    "jdbc oracle": "literal-oracle-Xk08",
    "connection string": "literal-pwd-Xk09",
    "options": "literal-options-Xk10",
    "options in camel case": "literal-camel-Xk11",
    "spark_config": "literal-s3a-Xk12",
    "azure": "literal-azure-Xk13==",
    "params": "literal-params-Xk14",
    "list": "literal-list-Xk15",
    "nested": "literal-nested-Xk16",
    "hyperparams": "literal-hyperparams-Xk17",
    "default_hyperparams": "literal-default-hyper-Xk18",
    "variable": "literal-variable-Xk19",
    "number": "8472917401",
    "with line break": "literal\nline-break-Xk21",
    "with quotes": "literal-'q'-\"qq\"-\\-Xk22",
    "inline node": "literal-inline-Xk23",
    "of another layer": "literal-layer-Xk24",
    "command line": "literal-option-Xk25",
}
# Only their form tells what they are: code has them.
SHAPES = {
    "header": "Authorization: Bearer shape.header-Xk31",
    "basic": "headers={'Authorization': 'Basic c2hhcGUtYmFzaWMtWGszMg=='}",
    "url": "cannot open https://u:shape-url-Xk33@host/x",
    "property": "login failed for user=u;password=shape-property-Xk34;",
    "json": '{"client_secret": "shape-json-Xk35"}',
    "assignment": "AWS_SECRET_ACCESS_KEY=shape-assigned-Xk36",
}
SHAPED = ("shape.header-Xk31", "c2hhcGUtYmFzaWMtWGszMg", "shape-url-Xk33", "shape-property-Xk34", "shape-json-Xk35",
          "shape-assigned-Xk36")  # fmt: skip

CODE = """
import json, logging, os, sys, warnings
from pathlib import Path

KNOWN = json.loads((Path(__file__).parents[1] / "data/known.json").read_text())
SECRETS, SHAPES = KNOWN["secrets"], KNOWN["shapes"]
ALL = [*SECRETS, *SHAPES]


class Odd(Exception):
    def __repr__(self):
        return " ".join(ALL)


def prints():
    for secret in ALL:
        print(secret)
        print(repr(secret), file=sys.stderr)
        sys.stdout.write("a part without end " + secret)
    sys.stdout.flush()


def logs():
    for name in ("steps", "tauro.steps", ""):
        logger = logging.getLogger(name)
        for secret in ALL:
            logger.warning("seen %s", secret)
            logger.info(secret, extra={"given": secret})
        try:
            raise KeyError(*ALL)
        except KeyError:
            logger.exception("failed")
    for secret in ALL:
        warnings.warn(secret, stacklevel=1)


def raises():
    raise ValueError(" | ".join(ALL))


def raises_data():
    raise KeyError({"all": ALL})


def raises_because():
    try:
        raises()
    except ValueError as error:
        error.add_note("noted: " + " ".join(ALL))
        raise RuntimeError(json.dumps(ALL)) from error


def raises_odd():
    raise Odd(*ALL)


def raises_much():
    raise ValueError("x" * 1995 + "".join(SECRETS) + "y" * 30_000 + "".join(SECRETS))


def leaves():
    sys.exit(" ".join(ALL))


def misses():
    raise ModuleNotFoundError(" ".join(ALL), name=SECRETS[0])


def sends(params, ml_context):
    raise ConnectionError(f"{params} {ml_context['hyperparams']}")


def reads(frame):
    return frame
"""
WAYS = ("prints", "logs", "raises", "raises_data", "raises_because", "raises_odd", "raises_much", "leaves", "misses")


def settings():
    """Return the sections of the project, with every literal in its place."""
    of = LITERALS
    return {
        "base/global_settings": {
            "mode": "local",
            "spark_config": {
                "spark.hadoop.fs.s3a.secret.key": of["spark_config"],
                "fs.azure.account.key.acct.dfs.core.windows.net": of["azure"],
                "spark.app.aws": "${AWS_SECRET_ACCESS_KEY}",
            },
            "default_hyperparams": {"access_token": of["default_hyperparams"]},
            "client_secret": of["variable"],
            "vault": f"${{VAULT_TOKEN:-{of['default']}}}",
            "outer": f"${{NOWHERE:-${{INNER_SECRET:-{of['nested default']}}}}}",
            "connect_url": f"sc://u:{of['url']}@host:15002",
            "notes": ["${SIGNING_SECRET}", "${DB_URL}", "${STORE}"],
        },
        "base/pipelines": {
            **{way: {"nodes": [way]} for way in WAYS},
            "sends": {"nodes": ["sends"], "hyperparams": {"auth_token": of["hyperparams"]}, "type": "ml"},
            "inline": {"nodes": [{"name": "own", "function": "steps.raises", "params": {"passwd": of["inline node"]}}]},
            "far": {"nodes": ["reads"], "description": "Reads with ${API_KEY}"},
            "broken": {"nodes": ["raises", "prints"]},
        },
        "base/nodes": {
            **{way: {"function": f"steps.{way}"} for way in WAYS},
            "sends": {
                "function": "steps.sends",
                "params": {
                    "api_key": of["params"],
                    "passwords": [of["list"], of["with quotes"]],
                    "credentials": {"user": "reader", "value": of["nested"], "pin_password": int(of["number"])},
                    "more": ["${DB_PASSWORD}", "${SERVICE_CREDENTIALS}", "${PRIVATE_KEY}"],
                    "secret_text": of["with line break"],
                },
            },
            "reads": {"function": "steps.reads", "input": "far"},
        },
        "base/input": {
            "far": {
                "format": "csv",
                "filepath": f"s3://reader:{of['url with signs']}@bucket/${{GITHUB_TOKEN}}/in.csv",
                "options": {"password": of["options"], "clientSecret": of["options in camel case"]},
            },
            "db": {
                "format": "jdbc",
                "options": {
                    "url": f"jdbc:postgresql://h/db?user=u&password={of['jdbc property']}",
                    "other": f"jdbc:sqlserver://h;user=u;password={{{of['jdbc braces']}}}",
                    "third": f"jdbc:oracle:thin:scott/{of['jdbc oracle']}@//h:1521/x",
                    "fourth": f"Server=h;Uid=u;Pwd={of['connection string']};",
                    "fifth": f"https://u:{of['escaped url']}@host/x",
                },
            },
        },
        "dev/global_settings": {"extra_password": of["of another layer"]},
    }


URLS = {"DB_URL": "env-url-password-Xk88", "STORE": "env-jdbc-Xk89"}
SECRETS = [URLS.get(name, value) for name, value in ENVIRONMENT.items()] + list(LITERALS.values())


def forms(secret):
    """Return how a secret may look in a text."""
    escaped = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    lines = [line for line in secret.split("\n") if "Xk" in line]
    return {*escaped, quote(secret, safe=""), *lines}


def leaks(text):
    """Return the secrets that a text shows."""
    found = [secret for secret in SECRETS if any(form in text for form in forms(secret))]
    return found + [shape for shape in SHAPED if shape in text]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    files = {f"config/{name}.yaml": yaml.safe_dump(data, sort_keys=False) for name, data in settings().items()}
    files["settings_yml.json"] = "{}"
    files["src/steps.py"] = CODE
    files["data/known.json"] = json.dumps({"secrets": SECRETS, "shapes": list(SHAPES.values())})
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def tauro(project):
    """Run a command line in the project; return how it ended, and all that it has printed and written."""
    before = {path for path in project.rglob("*") if path.is_file()}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")} | ENVIRONMENT

    def run(*arguments):
        command = [sys.executable, "-m", "tauro", *arguments]
        done = subprocess.run(
            command, cwd=project, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        written = [path for path in project.rglob("*") if path.is_file() and path not in before]
        texts = [path.read_bytes().decode(errors="replace") for path in written if "__pycache__" not in path.parts]
        return done, "\n".join((done.stdout, done.stderr, *map(str, written), *texts))

    return run


def test_there_are_thirty_secrets_and_each_is_found_when_it_leaks():
    assert len({*SECRETS, *SHAPED}) >= 30
    for secret in SECRETS:
        for form in forms(secret):
            assert leaks(f"x{form}x") == [secret]


LOOKS = [
    ("config", "list-pipelines", "--env", "dev"),
    ("config", "list-configs"),
    ("config", "pipeline-info", "--pipeline", "sends"),
    ("config", "pipeline-info", "--pipeline", "far"),
    ("config", "pipeline-info", "--pipeline", "far", "--graph", "mermaid"),
    ("config", "pipeline-info", "--pipeline", "far", "--graph", "svg"),
    ("config", "validate"),
    ("config", "show", "--env", "dev"),
    ("config", "show", "--env", "dev", "--origin"),
    ("config", "diff", "base", "dev"),
    ("config", "schema"),
    ("run", "--pipeline", "far", "--dry-run"),
    ("run", "--pipeline", "far", "--validate-only"),
    ("run", "--pipeline", "gone"),
    ("run", "--pipeline", "raises", "--node", "gone"),
    ("run", "--pipeline", "raises", "--start-date", "soon"),
]


FORMS = pytest.mark.parametrize("form", [(), ("--output", "json"), ("--verbose",)], ids=" ".join)
# The secret among the hyperparameters of the command line.
RUN = ("run", "--env", "dev", "--hyperparams", json.dumps({"learning_token": LITERALS["command line"]}))


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
@FORMS
def test_a_look_at_the_project_shows_no_secret(tauro, look, form):
    _, seen = tauro(*look, *form)
    assert leaks(seen) == []


def test_a_report_for_code_hosts_shows_no_secret(tauro):
    _, seen = tauro("config", "validate", "--output", "sarif")
    assert leaks(seen) == []


@pytest.mark.parametrize("way", [*WAYS, "sends", "inline", "broken"])
@FORMS
def test_what_a_node_lets_out_of_all_secrets_is_hidden(tauro, way, form):
    done, seen = tauro(*RUN, "--pipeline", way, *form)
    assert leaks(seen) == []
    assert "***" in seen
    assert done.returncode in (0, 4, 5)


def test_half_of_a_secret_is_not_shown_either_where_a_long_text_is_cut(tauro):
    _, seen = tauro(*RUN, "--pipeline", "raises_much", "--verbose")
    assert "xxxx***" in seen
    assert not {"literal", "env-", "Xk"} & {word for word in ("literal", "env-", "Xk") if word in seen}


def test_a_log_in_json_shows_no_secret(tauro):
    done, seen = tauro(*RUN, "--pipeline", "logs", "--verbose", "--log-format", "json", "--log-file", "own.log")
    assert leaks(seen) == []
    assert "seen ***" in done.stderr


def test_a_resumed_run_shows_no_secret(tauro):
    failed, _ = tauro(*RUN, "--pipeline", "broken", "--output", "json")
    run_id = json.loads(failed.stdout)["run_id"]
    _, seen = tauro("run", "--resume", run_id, *RUN[3:], "--verbose")
    assert "Run failed" in seen
    assert leaks(seen) == []


# What cannot be read has secrets that nobody knows.
BROKEN = {
    "input.yaml": "far:\n  options: {{password: {secret}\n",
    "global_settings.yaml": 'api_key: "{secret}\n',
    "nodes.yaml": "a:\n  params:\n    client_secret: *{secret}\n",
    "pipelines.yaml": "a: {{access_token: !{secret} x}}\n",
    "output.yaml": "x:\n  password: {secret}: more\n",
    "input.json": '{{"far": {{"options": {{"password": "{secret}" x}}}}}}',
    "global_settings.json": '{{"auth_token": {secret}}}',
    "nodes.dsl": '[a]\npassword = "x" {secret}\n',
    "pipelines.dsl": '[a]\nclient_secret = "{secret}\n',
    "output.dsl": "[a]\nspark.secret.key: {secret}\n",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("form", [(), ("--output", "json"), ("--output", "sarif"), ("--verbose",)], ids=" ".join)
def test_a_file_that_cannot_be_read_shows_no_secret(tmp_path, name, form):
    (tmp_path / "config/base").mkdir(parents=True)
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "config/base" / name).write_text(BROKEN[name].format(secret="unheard-of-Xk99"))
    command = [sys.executable, "-m", "tauro", "config", "validate", *form]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert name in done.stdout + done.stderr
    assert "unheard-of" not in done.stdout + done.stderr
