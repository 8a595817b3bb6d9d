"""Leave an installation on, with its UI; and stop it."""

from rich.console import Console

from connectors.settings import Settings
from sandbox.local.environment import HOST, USERS, ui_port
from sandbox.local.installation import (
    dag_names,
    let_stay,
    start_supervisor,
    stop_supervisor,
    wait_until_ready,
)


def bring_up(settings: Settings, *, persons: int = 20_000, seed: int = 20260601) -> None:
    """Bring everything up, leave it on, and print where the UI is and who may sign in.

    Raises:
        Refusal: it is up already, the port is taken, or something failed on the way.
    """
    console = Console(highlight=False, soft_wrap=True)
    supervisor = start_supervisor(settings, persons=persons, seed=seed)
    try:
        airflow = wait_until_ready(settings, supervisor, console.print)
        for dag_id in sorted(dag_names()):
            airflow.unpause(dag_id)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise
    let_stay(supervisor)
    console.print(f"\n界面 · UI: http://{HOST}:{ui_port()}")
    for user in USERS:
        console.print(f"用户 · user: {user:10} 密码 · password: {settings.secret(f'{user}.password')}")
    console.print("停止 · to stop: make down")


def bring_down(settings: Settings) -> None:
    """Stop what `bring_up` started; nothing there is fine."""
    stopped = stop_supervisor(settings)
    text = "已停止 · stopped" if stopped else "没有运行 · nothing was running"
    Console(highlight=False).print(text)
