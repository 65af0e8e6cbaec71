"""Logging and warnings: in the transcript of the thread's console, once, and where they go anyway."""

from __future__ import annotations

import io
import logging
import logging.handlers
import queue
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from nbserver import console, context
from nbserver.console import Console
from nbserver.events import Kind
from nbserver.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("routed")


def printed(one):
    return [e.data.decode() for e in one.transcript if e.kind is Kind.PRINTED]


@pytest.fixture
def logger():
    """A logger that nobody hears; pytest listens to the root's."""
    logger = logging.Logger("my.logger", logging.INFO)
    logger.propagate = False
    return logger


@pytest.fixture
def heard(logger):
    """What a handler of the logger's has heard."""
    stream = io.StringIO()
    logger.addHandler(logging.StreamHandler(stream))
    return lambda: stream.getvalue().splitlines()


class Hands(logging.Handler):
    """Gives each record to a function."""

    def __init__(self, function):
        super().__init__()
        self.emit = function


# --- logging ------------------------------------------------------------------------------------------------


def test_a_record_is_a_line_of_the_transcript_and_reaches_its_handlers(one, inside, logger, heard, capfd):
    inside(logger.warning, "from %s", "a thread").result(5)
    logger.warning("from none")
    assert printed(one) == ["WARNING my.logger: from a thread"]
    assert heard() == ["from a thread", "from none"]
    assert capfd.readouterr() == ("", "")


def test_a_traceback_and_a_stack_stand_below_it_and_the_record_is_as_before(one, inside, logger):
    class Own(logging.Formatter):
        def formatException(self, exc_info):
            return "in short"

    stream, records = io.StringIO(), []
    own = logging.StreamHandler(stream)
    own.setFormatter(Own())
    logger.addHandler(Hands(lambda record: records.append(dict(vars(record)))))
    logger.addHandler(own)

    def fail():
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            logger.exception("oh", stack_info=True)

    inside(fail).result(5)
    lines = printed(one)
    assert lines[:2] == ["ERROR my.logger: oh", "Traceback (most recent call last):"]
    assert "ZeroDivisionError: division by zero" in lines
    assert "Stack (most recent call last):" in lines
    assert not {"message", "asctime"} & set(records[0]) and records[0]["exc_text"] is None
    assert stream.getvalue().splitlines()[:2] == ["oh", "in short"]


def test_levels_and_filters_apply_as_ever(one, inside, logger, heard):
    inside(logger.debug, "below its level").result(5)
    logger.addFilter(lambda record: "secret" not in record.msg)
    inside(logger.info, "a secret").result(5)
    logger.handlers[0].setLevel(logging.ERROR)
    inside(logger.info, "nothing for the handler").result(5)
    logger.disabled = True
    inside(logger.error, "disabled").result(5)
    assert printed(one) == ["INFO my.logger: nothing for the handler"]
    assert heard() == []


@pytest.mark.parametrize("made", ["before", "after"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_handler_on_a_stream_writes_to_the_real_one(one, inside, logger, capfd, name, made):
    stream = getattr(sys, name)
    logger.addHandler(logging.StreamHandler(stream._base if made == "before" else stream))
    inside(logger.error, "once").result(5)
    assert printed(one) == ["ERROR my.logger: once"]
    assert getattr(capfd.readouterr(), name[3:]) == "once\n"


def test_what_no_handler_hears_is_in_the_transcript_alone(one, inside, logger, capfd):
    inside(logger.info, "info").result(5)
    inside(logger.error, "error").result(5)
    assert printed(one) == ["INFO my.logger: info", "ERROR my.logger: error"]
    assert capfd.readouterr() == ("", "")
    logger.info("not for the last resort")
    logger.error("for the last resort")
    assert capfd.readouterr() == ("", "for the last resort\n")


def test_what_handlers_print_goes_where_it_would_go_without_us(one, inside, logger, capfd):
    logger.addHandler(Hands(lambda record: print("own:", record.getMessage())))
    inside(logger.info, "hello").result(5)
    assert printed(one) == ["INFO my.logger: hello"]
    assert capfd.readouterr() == ("own: hello\n", "")


def test_what_handlers_log_reaches_its_handlers_and_is_lost_nowhere(one, inside, logger, heard):
    other, stream = logging.Logger("other"), io.StringIO()
    logger.addHandler(Hands(lambda record: other.warning("about %s", record.msg)))
    inside(logger.info, "one").result(5)
    assert printed(one) == ["INFO my.logger: one", "WARNING other: about one"]  # which nobody else hears
    other.addHandler(logging.StreamHandler(stream))
    inside(logger.info, "two").result(5)
    assert printed(one)[2:] == ["INFO my.logger: two"]
    assert stream.getvalue() == "about two\n"
    assert heard() == ["one", "two"]


def test_an_error_in_a_handler_is_told_in_the_transcript(one, inside, logger, capfd):
    class Broken(logging.StreamHandler):
        def format(self, record):
            raise LookupError("broken")

    logger.addHandler(Broken())
    inside(logger.info, "hello").result(5)
    lines = printed(one)
    assert lines[:2] == ["INFO my.logger: hello", "--- Logging error ---"]
    assert "LookupError: broken" in lines
    assert capfd.readouterr() == ("", "")
    logger.info("in a thread without a console")
    assert "LookupError: broken" in capfd.readouterr().err


def test_a_handler_that_raises_raises_where_it_is_logged(one, inside, logger):
    def fail(record):
        raise LookupError

    logger.addHandler(Hands(fail))
    with pytest.raises(LookupError):
        inside(logger.info, "hello").result(5)
    inside(print, "goes on").result(5)
    assert printed(one) == ["INFO my.logger: hello", "goes on"]


def test_arguments_that_do_not_fit_are_told_in_the_transcript(one, inside, logger, heard, capfd):
    class Nasty:
        def __str__(self):
            raise LookupError

        __repr__ = __str__

    inside(logger.info, "%d", "x").result(5)
    assert printed(one)[:2] == ["INFO my.logger: '%d' does not take ('x',) (TypeError)", "--- Logging error ---"]
    inside(logger.info, Nasty()).result(5)
    assert any("does not take ()" in line and "LookupError" in line for line in printed(one))
    assert (heard(), capfd.readouterr()) == ([], ("", ""))


def test_propagation_adapters_and_classes_of_ones_own(one, inside, caplog):
    class Own(logging.getLoggerClass()):
        def callHandlers(self, record):
            record.msg += "!"
            super().callHandlers(record)

    child = Own("test_logs.child")
    child.parent = logging.getLogger("test_logs")
    adapter = logging.LoggerAdapter(child, {})
    inside(adapter.warning, "hello").result(5)
    assert printed(one) == ["WARNING test_logs.child: hello!"]
    assert [record.getMessage() for record in caplog.records] == ["hello!"]  # pytest's, at the root


def test_a_queue_gets_the_record_and_its_listener_writes_elsewhere(one, inside, logger):
    records, stream = queue.Queue(), io.StringIO()
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, logging.StreamHandler(stream))
    listener.start()
    inside(logger.info, "by queue").result(5)
    listener.stop()
    assert printed(one) == ["INFO my.logger: by queue"]
    assert stream.getvalue() == "by queue\n"


def test_each_thread_has_its_own(one, inside, logger, heard):
    other = Console(2, Journal())

    def both():
        logger.info("one")
        with context.speaking_to(other):
            logger.info("other")

    inside(both).result(5)
    assert (printed(one), printed(other)) == (["INFO my.logger: one"], ["INFO my.logger: other"])
    assert heard() == ["one", "other"]


def test_a_record_is_a_line_of_its_own(one, inside, logger):
    inside(lambda: (print("half", end=""), logger.info("whole"), print(" a line"))).result(5)
    assert printed(one) == ["half", "INFO my.logger: whole", " a line"]


def test_a_handler_that_a_program_makes_writes_in_its_own_format_to_the_console_of_who_logs(one, inside, logger, capfd):
    def program():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)s says: %(message)s"))
        logger.addHandler(handler)
        logger.info("hello")

    other = Console(2, Journal())
    inside(program).result(5)
    with context.speaking_to(other):
        logger.info("me, too")
        logger.handlers[0].setLevel(logging.ERROR)
        logger.info("not this")
    assert printed(one) == ["my.logger says: hello"]
    assert printed(other) == ["my.logger says: me, too", "INFO my.logger: not this"]
    assert capfd.readouterr() == ("", "")
    logger.error("from no console")
    console.release()
    logger.error("when nobody is there any more")
    console.acquire()
    said = "my.logger says: from no console\nmy.logger says: when nobody is there any more\n"
    assert capfd.readouterr() == ("", said)


def test_who_replaces_the_same_method_hears_each_record_once(one, inside, logger, heard):
    seen, ours = [], logging.Logger.callHandlers

    def theirs(self, record):
        seen.append(record.msg)
        ours(self, record)

    logging.Logger.callHandlers = theirs
    console.release()
    logger.info("without a console")
    console.acquire()  # ours in front of theirs in front of ours
    inside(logger.info, "with").result(5)
    assert printed(one) == ["INFO my.logger: with"]
    assert seen == heard() == ["without a console", "with"]
    logging.Logger.callHandlers = ours  # theirs is taken away


# --- warnings -----------------------------------------------------------------------------------------------


def test_a_recorded_warning_is_in_the_transcript_as_well(one, inside):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside(warnings.warn, "careful").result(5)
        warnings.warn("elsewhere", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["careful", "elsewhere"]
    assert "UserWarning: careful" in printed(one)[0]
    assert "elsewhere" not in " ".join(printed(one))


def test_who_shows_warnings_goes_on_and_prints_where_it_would(one, inside, capfd, monkeypatch):
    def show(message, *args, **options):
        print("own:", message)
        logging.getLogger("test_logs").warning("own: %s", message)

    monkeypatch.setattr(warnings, "showwarning", show)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        inside(warnings.warn, "careful").result(5)
    assert [line for line in printed(one) if "careful" in line] == [printed(one)[0]]
    assert "UserWarning: careful" in printed(one)[0]
    assert capfd.readouterr() == ("own: careful\n", "")


def test_captured_warnings_are_told_once_and_logged(one, inside, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        try:
            inside(warnings.warn, "careful").result(5)
        finally:
            logging.captureWarnings(False)
    assert [line for line in printed(one) if "careful" in line] == [printed(one)[0]]
    assert [record.name for record in caplog.records] == ["py.warnings"]


def test_a_warning_that_is_filtered_is_shown_nowhere(one, inside):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside(warnings.warn, "careful").result(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            inside(warnings.warn, "careful").result(5)
    assert printed(one) == []


# --- a process in which nobody listens ----------------------------------------------------------------------

ALONE = """
import logging, warnings
from nbserver import console, context
from nbserver.journal import Journal
early, nobodys = logging.getLogger("early"), logging.getLogger("nobody's")
early.addHandler(logging.StreamHandler())
one = console.Console(1, Journal())
console.acquire()
with context.speaking_to(one):
    nobodys.warning("text")
    nobodys.info("below its level")
    early.warning("to stderr as well")
    warnings.warn("careful")
    logging.warning("this sets up the root's handler")
    nobodys.warning("by the root's handler")
nobodys.warning("from no console")
for event in one.transcript:
    print(event.data.decode())
"""


def test_where_nobody_listens_nothing_but_the_transcript_has_it():
    done = subprocess.run(
        [sys.executable, "-c", ALONE], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    said = ["to stderr as well", "WARNING:nobody's:from no console"]
    assert (done.stderr.splitlines(), done.returncode) == (said, 0)
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        "WARNING nobody's: text",
        "WARNING early: to stderr as well",
        "<string>:13: UserWarning: careful",
        "WARNING:root:this sets up the root's handler",
        "WARNING:nobody's:by the root's handler",
    ]
