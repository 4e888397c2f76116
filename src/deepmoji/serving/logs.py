"""What servers log: where an error arose and of what kind, and nothing that somebody wrote."""

import logging
from types import TracebackType


class WithoutMessages(logging.Formatter):
    """Writes where an error arose and of what kind it is; its message may hold a text."""

    def formatException(  # noqa: N802 - the standard library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the traceback without the message."""
        kind, _, trace = ei
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        return "\n".join([*places, kind.__name__ if kind else ""])


def log_to_stderr(*loggers: logging.Logger) -> None:
    """Let the server's own loggers, and these, write to standard error so."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutMessages("%(asctime)s %(message)s"))
    for logger in (logging.getLogger("uvicorn.error"), logging.getLogger("asyncio"), *loggers):
        logger.handlers = [handler]
        logger.propagate = False
