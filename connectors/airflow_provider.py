"""What we add to Airflow: types of Connections, with the form in which a person fills them in.

Read through the entry point `apache_airflow_provider` (setup.py); imports nothing of Airflow.
"""

from importlib.metadata import version
from typing import Any

HOOKS = "connectors.airflow_hooks"

POPULATION, PARTNER, RECEIVER = "padis_population", "padis_partner", "padis_receiver"
TITLES = {
    POPULATION: "PADIS 全员人口库 · population database",
    PARTNER: "PADIS SFTP 交换方 · SFTP partner",
    RECEIVER: "PADIS 接收平台 · receiving platform",
}

LABELS = {
    "host": "主机 · Host",
    "port": "端口 · Port",
    "login": "用户名 · User name",
    "password": "密码 · Password",
    "schema": "数据库名 · Database",
}
HOST_KEY = {
    "label": "主机公钥 · Pinned host key",
    "description": "对方经另一渠道告知的公钥;不符即拒绝,不发送任何凭据。"
    " · As the partner told it by another way; with any other key nothing is sent, no credential either.",
    "schema": {"type": "string", "pattern": r"^ssh-ed25519 \S+( .*)?$", "minLength": 20},
}
KEY_FILE = {
    "label": "我方私钥文件 · Our private key file",
    "description": "运行任务的机器上的路径,ed25519,无口令。"
    " · A path where tasks run; ed25519, without a passphrase.",
    "schema": {"type": "string", "minLength": 1},
}
ROOT = {
    "label": "根目录 · Root folder",
    "description": "约定目录在对方服务器上的位置;留空则在最上层。"
    " · Where the agreed folders lie at the partner; empty: at the top.",
    "schema": {"type": ["string", "null"], "pattern": r"^(/[A-Za-z0-9][A-Za-z0-9._\-]*)*$", "default": ""},
}
RECEIVER_NAME = {
    "label": "接收方 · Receiver",
    "description": "schemas/padis 中的接收方。 · A receiver of schemas/padis.",
    "schema": {"type": "string", "default": "national", "minLength": 1},
}
# Whoever is reached by SFTP shows the same fields.
WIRE_HIDDEN = ["password", "schema", "extra"]
WIRE_PLACEHOLDERS = {"host": "sftp.example.gov.cn", "port": "22", "login": "padis-pipeline"}
WIRE_FIELDS = {"host_key": HOST_KEY, "key_file": KEY_FILE, "root": ROOT}
DIALECT = {
    "label": "数据库种类 · Kind of database",
    "description": "SQLAlchemy 方言与驱动;postgresql 走快速通道。"
    " · An SQLAlchemy dialect and driver; postgresql takes the fast path.",
    "schema": {"type": "string", "default": "postgresql", "minLength": 1},
}
POPULATION_PLACEHOLDERS = {
    "host": "db.example.gov.cn",
    "port": "5432",
    "login": "padis_reader",
    "schema": "population",
}


def get_provider_info() -> dict[str, Any]:
    """Describe the provider as Airflow asks for it."""
    return {
        "package-name": "padis-pipeline",
        "name": "PADIS pipeline",
        "description": "人口数据集成的连接类型 · Connections of the population data integration.",
        "versions": [version("padis-pipeline")],
        "integrations": [{"integration-name": "PADIS", "tags": ["protocol"]}],
        "hooks": [{"integration-name": "PADIS", "python-modules": [HOOKS]}],
        "connection-types": [
            _connection_type(
                POPULATION,
                "PopulationHook",
                hidden=["extra"],
                placeholders=POPULATION_PLACEHOLDERS,
                fields={"dialect": DIALECT},
            ),
            _connection_type(
                PARTNER,
                "PartnerHook",
                hidden=WIRE_HIDDEN,
                placeholders=WIRE_PLACEHOLDERS,
                fields=WIRE_FIELDS,
            ),
            _connection_type(
                RECEIVER,
                "ReceiverHook",
                hidden=WIRE_HIDDEN,
                placeholders=WIRE_PLACEHOLDERS,
                fields={**WIRE_FIELDS, "receiver": RECEIVER_NAME},
            ),
        ],
    }


def _connection_type(
    name: str,
    hook: str,
    *,
    hidden: list[str],
    placeholders: dict[str, str],
    fields: dict[str, Any],
) -> dict[str, Any]:
    return {
        "connection-type": name,
        "hook-class-name": f"{HOOKS}.{hook}",
        "hook-name": TITLES[name],
        "conn-fields": fields,
        "ui-field-behaviour": {
            "hidden-fields": hidden,
            "relabeling": {field: label for field, label in LABELS.items() if field not in hidden},
            "placeholders": placeholders,
        },
    }
