"""Modules of a wanted size that are the same each time they are made.

They look a little like compiled code: functions of about half a kilobyte that
compute with their arguments and locals, read and write memory, branch, loop
and call each other.  Only `add` is ever called.
"""

import random
from collections.abc import Iterator

I64 = 0x7E
LOCALS = 6
FUNCTION_BYTES = 500

LOCAL_GET, LOCAL_SET, I32_CONST, I64_CONST = 0x20, 0x21, 0x41, 0x42
LOOP, IF, END, BR_IF, CALL, VOID = 0x03, 0x04, 0x0B, 0x0D, 0x10, 0x40
I64_LOAD, I64_STORE, I32_AND, I32_WRAP, I64_EQZ = 0x29, 0x37, 0x71, 0xA7, 0x50
# add, sub, mul, and, or, xor, shl, shr_u, rotl
ARITHMETIC = (0x7C, 0x7D, 0x7E, 0x83, 0x84, 0x85, 0x86, 0x88, 0x89)


def module(size: int, mark: str = "") -> bytes:
    """Of about so many bytes; exports add(i64, i64). Another mark makes other bytes of equal code."""
    bodies = list(_bodies(size))
    types = _vector([_function_type([I64, I64], [I64])])
    functions = _vector([_unsigned(0)] * len(bodies))
    memory = _vector([b"\x00" + _unsigned(1)])
    exports = _vector([_name("add") + b"\x00" + _unsigned(0)])
    return b"\0asm\x01\0\0\0" + b"".join(
        _section(number, content)
        for number, content in (
            (1, types),
            (3, functions),
            (5, memory),
            (7, exports),
            (10, _vector(bodies)),
            (0, _name("mark") + mark.encode()),
        )
    )


def _bodies(size: int) -> Iterator[bytes]:
    """`add`, and others until the module is large enough."""
    source = random.Random(size)
    add = bytes([0, LOCAL_GET, 0, LOCAL_GET, 1, ARITHMETIC[0], END])
    yield _sized(add)
    used, number = 60 + len(add), 1
    while used < size:
        body = _sized(_body(source, number, min(FUNCTION_BYTES, size - used)))
        used += len(body) + 1
        number += 1
        yield body


def _body(source: random.Random, number: int, size: int) -> bytes:
    code = bytearray(_vector([_unsigned(LOCALS - 2) + bytes([I64])]))
    while len(code) < size - 15:
        code += source.choice(STATEMENTS)(source, number)
    return bytes(code + bytes([LOCAL_GET, source.randrange(LOCALS), END]))


def _assignment(source: random.Random, _number: int) -> bytes:
    return _expression(source) + bytes([LOCAL_SET, source.randrange(LOCALS)])


def _expression(source: random.Random) -> bytes:
    left, right = source.randrange(LOCALS), source.randrange(LOCALS)
    code = bytes([LOCAL_GET, left, LOCAL_GET, right, source.choice(ARITHMETIC)])
    if source.random() < 0.5:
        code += bytes([I64_CONST]) + _signed(source.randrange(1 << 20)) + bytes([source.choice(ARITHMETIC)])
    return code


def _address(source: random.Random) -> bytes:
    return (
        bytes([LOCAL_GET, source.randrange(LOCALS), I32_WRAP, I32_CONST]) + _signed(0xFFF8) + bytes([I32_AND])
    )


def _load(source: random.Random, _number: int) -> bytes:
    return _address(source) + bytes([I64_LOAD, 3, 0, LOCAL_SET, source.randrange(LOCALS)])


def _store(source: random.Random, _number: int) -> bytes:
    return _address(source) + _expression(source) + bytes([I64_STORE, 3, 0])


def _condition(source: random.Random, number: int) -> bytes:
    test = bytes([LOCAL_GET, source.randrange(LOCALS), I64_EQZ, IF, VOID])
    return test + _assignment(source, number) + _store(source, number) + bytes([END])


def _loop(source: random.Random, number: int) -> bytes:
    again = bytes([LOCAL_GET, source.randrange(LOCALS), I64_EQZ, BR_IF, 0, END])
    return bytes([LOOP, VOID]) + _load(source, number) + _assignment(source, number) + again


def _call(source: random.Random, number: int) -> bytes:
    """Of a function before it, so that nothing calls itself."""
    arguments = bytes([LOCAL_GET, source.randrange(LOCALS), LOCAL_GET, source.randrange(LOCALS)])
    return (
        arguments
        + bytes([CALL])
        + _unsigned(source.randrange(number))
        + bytes([LOCAL_SET, source.randrange(LOCALS)])
    )


STATEMENTS = (_assignment,) * 5 + (_load,) * 3 + (_store,) * 2 + (_condition, _loop, _call)


# --- encoding ---


def _unsigned(value: int) -> bytes:
    """LEB128"""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _signed(value: int) -> bytes:
    """LEB128 of a number that is not negative: one more bit, zero, is its sign."""
    encoded = bytearray()
    while value >= 0x40:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _sized(content: bytes) -> bytes:
    return _unsigned(len(content)) + content


def _name(text: str) -> bytes:
    return _sized(text.encode())


def _vector(items: list[bytes]) -> bytes:
    return _unsigned(len(items)) + b"".join(items)


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _sized(content)


def _function_type(parameters: list[int], results: list[int]) -> bytes:
    return b"\x60" + _vector([bytes([p]) for p in parameters]) + _vector([bytes([r]) for r in results])
