"""The little of libpq that measuring takes, through ctypes.

A call of PQexec costs a microsecond or two here; the usual Python drivers cost
as much as PostgreSQL needs for the statement.
"""

import ctypes
import ctypes.util
import time

_pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")

_CONNECTION_OK = 0
_EMPTY_QUERY, _COMMAND_OK, _TUPLES_OK = 0, 1, 2
_SQLSTATE = ord("C")


def _declare(name: str, result, *arguments):
    function = getattr(_pq, name)
    function.restype = result
    function.argtypes = arguments
    return function


_pointer = ctypes.c_void_p
_string = ctypes.c_char_p
_int = ctypes.c_int

_connectdb = _declare("PQconnectdb", _pointer, _string)
_status = _declare("PQstatus", _int, _pointer)
_finish = _declare("PQfinish", None, _pointer)
_error = _declare("PQerrorMessage", _string, _pointer)
_exec = _declare("PQexec", _pointer, _pointer, _string)
_send_query = _declare("PQsendQuery", _int, _pointer, _string)
_consume_input = _declare("PQconsumeInput", _int, _pointer)
_is_busy = _declare("PQisBusy", _int, _pointer)
_get_result = _declare("PQgetResult", _pointer, _pointer)
_backend_pid = _declare("PQbackendPID", _int, _pointer)
_result_status = _declare("PQresultStatus", _int, _pointer)
_result_error_field = _declare("PQresultErrorField", _string, _pointer, _int)
_clear = _declare("PQclear", None, _pointer)
_tuples = _declare("PQntuples", _int, _pointer)
_fields = _declare("PQnfields", _int, _pointer)
_value = _declare("PQgetvalue", _string, _pointer, _int, _int)
_is_null = _declare("PQgetisnull", _int, _pointer, _int, _int)


class Error(Exception):
    """An error of the server; sqlstate is empty for one of the connection."""

    def __init__(self, message: str, sqlstate: str = ""):
        super().__init__(message)
        self.sqlstate = sqlstate


class Connection:
    """A session. Statements go by the simple protocol; values come as text."""

    def __init__(self, parameters: str):
        self._connection = _connectdb(parameters.encode())
        if _status(self._connection) != _CONNECTION_OK:
            message = self._message()
            self.close()
            raise Error(message)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        _finish(self._connection)
        self._connection = None

    @property
    def pid(self) -> int:
        """The process of the backend."""
        return _backend_pid(self._connection)

    def run(self, sql: str) -> None:
        self.rows(sql)

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        """The rows of the (last) statement's result."""
        return self._rows(_exec(self._connection, sql.encode()))

    def value(self, sql: str) -> str | None:
        """The first column of the first row."""
        return self.rows(sql)[0][0]

    def milliseconds(self, sql: str) -> float:
        """How long the statement takes, from sending it to having its result."""
        text = sql.encode()
        start = time.perf_counter_ns()
        result = _exec(self._connection, text)
        elapsed = time.perf_counter_ns() - start
        self._rows(result)
        return elapsed / 1e6

    def send(self, sql: str) -> None:
        """Starts a statement; receive() waits for its result."""
        if _send_query(self._connection, sql.encode()) == 0:
            raise Error(self._message())

    def watch(self) -> None:
        """Waits for the result of what was sent, without giving the processor away."""
        while _is_busy(self._connection):
            if _consume_input(self._connection) == 0:
                raise Error(self._message())

    def receive(self) -> list[tuple[str | None, ...]]:
        result = _get_result(self._connection)
        while (following := _get_result(self._connection)) is not None:
            _clear(result)
            result = following
        return self._rows(result)

    def _rows(self, result) -> list[tuple[str | None, ...]]:
        try:
            status = _result_status(result)
            if status not in (_EMPTY_QUERY, _COMMAND_OK, _TUPLES_OK):
                sqlstate = _result_error_field(result, _SQLSTATE) or b""
                raise Error(self._message(), sqlstate.decode())
            columns = range(_fields(result))
            return [tuple(_text(result, row, column) for column in columns) for row in range(_tuples(result))]
        finally:
            _clear(result)

    def _message(self) -> str:
        return _error(self._connection).decode().strip()


def _text(result, row: int, column: int) -> str | None:
    if _is_null(result, row, column):
        return None
    return _value(result, row, column).decode()
