"""What an application's handler of a signal raises, such as a time limit of Celery: also amid our code."""

from __future__ import annotations

import signal


def is_of_a_handler(error: BaseException) -> bool:
    """Whether a signal's handler raised an error, which then is not ours to keep."""
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = [
        getattr(each, "__code__", None) or getattr(type(each).__call__, "__code__", None) for each in handlers
    ]
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False
