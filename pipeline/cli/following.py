"""What a person sees of a run on Kubeflow, and with which status its following ends."""

from types import TracebackType

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from components.tools.console import say, uncut_console
from pipeline.kubeflow.api import LostError, SubmitError
from pipeline.kubeflow.follow import follow
from pipeline.kubeflow.run_state import RunReader, RunState
from pipeline.kubeflow.task_states import ENDED, TaskRun
from pipeline.run_table import plain_line, run_table

SUCCEEDED, FAILED, NOT_BLESSED, GAVE_UP, CANCELED = 0, 1, 3, 4, 5
_PENDING_TOO_LONG = 180.0
_OUT_OF_MEMORY = "OOMKilled"


class FollowDisplay:
    """A live table on a terminal; elsewhere a plain line at each change of a task's state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._run: RunState | None = None
        self._stages: dict[str, tuple[str, int]] = {}
        self._warned: set[str | None] = set()
        self._live = Live(get_renderable=self._render, console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "FollowDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()

    @property
    def has_seen(self) -> bool:
        """Whether there was anything to show."""
        return self._run is not None

    def show(self, run: RunState) -> None:
        """Show how it stands."""
        self._run = run
        if self._console.is_terminal:
            self._live.refresh()
            return
        width = max((len(task.node) for task in run.tasks), default=0)
        for task in run.tasks:
            stage = (task.state, task.attempt)
            if stage != self._stages.get(task.node, ("waiting", 1)):
                say(self._console, plain_line(task, width) + again_note(task, "  "))
            self._stages[task.node] = stage
            if is_stuck(task) and task.pod not in self._warned:
                self._warned.add(task.pod)
                say(self._console, waiting_note(run, task))

    def _render(self) -> RenderableType:
        if self._run is None:
            return Text("")
        stuck = [Text(waiting_note(self._run, task)) for task in self._run.tasks if is_stuck(task)]
        return Group(headline(self._run), run_table(self._run.tasks), *stuck)


def show_run(console: Console, run: RunState) -> None:
    """Print the table, what waits and why, and how it ended."""
    console.print(headline(run), soft_wrap=True)
    if run.tasks:
        console.print(run_table(run.tasks))
    for task in run.tasks:
        if is_stuck(task):
            say(console, waiting_note(run, task))
        if task.state == "failed":
            say(console, failure_note(run, task))
        if task.state == "running" and (note := again_note(task, f"{task.node}: ")):
            say(console, note)
    if run.error:
        say(console, f"Kubeflow says: {run.error}")
    if run.state == "failed" and any(task.state in ENDED for task in run.tasks):
        say(console, "Mend the cause and submit the file again: what the cache may hold isn't done again.")
    if run.state == "succeeded" and run.pushed is None and run.tasks:
        say(console, "No log tells whether the model was pushed: the Pusher's result is an earlier run's, or gone.")


def follow_to_the_end(reader: RunReader, link: str, timeout: float | None) -> int:
    """Follow a run and return the exit status.

    Args:
        reader: of the run.
        link: to its page, for who gives up waiting.
        timeout: seconds to wait at most; None: as long as it takes.

    Returns:
        0 succeeded, 1 failed, 3 succeeded but the model isn't good enough, 4 gave up waiting, 5 canceled.
    """
    console = uncut_console()
    display = FollowDisplay(console)
    try:
        with display:
            run = follow(reader, display.show, lambda text: click.echo(text, err=True), timeout)
    except LostError as error:
        click.echo(f"Error: {error}. Gave up waiting; the run may go on: {link}", err=True)
        return GAVE_UP
    except SubmitError as error:
        if not display.has_seen:
            raise
        click.echo(f"Error: {error}. No longer watched; the run may go on: {link}", err=True)
        return GAVE_UP
    except KeyboardInterrupt:
        click.echo(f"\nNo longer watched; the run goes on: {link}", err=True)
        return GAVE_UP
    if run is None:
        click.echo(f"Error: the time of --timeout is up. Gave up waiting; the run goes on: {link}", err=True)
        return GAVE_UP
    show_run(console, run)
    return exit_status(run)


def exit_status(run: RunState) -> int:
    """Return the status that tells how a run stands; 0 while it goes on."""
    if run.state in ("canceled", "canceling"):
        return CANCELED
    if run.finished and run.state != "succeeded":
        return FAILED
    return NOT_BLESSED if run.pushed is False else SUCCEEDED


def headline(run: RunState) -> Text:
    """Return the run's own line."""
    return Text(f"{run.name or run.run_id}  {run.state}, {_minutes(run.seconds)}")


def is_stuck(task: TaskRun) -> bool:
    """Return whether its pod should have started long ago."""
    return task.state == "pending" and task.seconds > _PENDING_TOO_LONG


def waiting_note(run: RunState, task: TaskRun) -> str:
    """Return what holds a task up, and where to see more."""
    reason = f" ({task.reason})" if task.reason else ""
    events = f"; see the events of its pod: {_kubectl(run)} describe pod {task.pod}" if task.pod else ""
    return f"{task.node}: pending {_minutes(task.seconds)}{reason}{events}"


def again_note(task: TaskRun, before: str) -> str:
    """Return which attempt goes on, and why the one before failed, behind some other words; "" for the first."""
    if task.attempt == 1 or task.state in ENDED:
        return ""
    why = f", after: {task.reason}" if task.reason and task.state == "running" else ""
    return f"{before}attempt {task.attempt}{why}"


def failure_note(run: RunState, task: TaskRun) -> str:
    """Return why a task failed, by its own word and by Kubernetes', and where to read all of it."""
    attempts = f" in attempt {task.attempt}" if task.attempt > 1 else ""
    why = " / ".join(filter(None, (task.failure, task.reason))) or "nobody says why"
    lines = [f"{task.node} failed{attempts}: {why}"]
    if _OUT_OF_MEMORY in task.reason:
        lines.append(f"It needs more memory: raise kubeflow.components.{task.node}.memory and compile again.")
    if task.pod:
        lines.append(f"Log: {_kubectl(run)} logs {task.pod} --container main")
    return "\n".join(lines)


def _kubectl(run: RunState) -> str:
    return f"kubectl --namespace {run.namespace or 'NAMESPACE'}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
