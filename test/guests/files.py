"""A guest that uses files by WASI 0.2, as Python does."""

import errno
import os

import wit_world


class WitWorld(wit_world.WitWorld):
    def run(self, code):
        names = {"os": os}
        try:
            exec(code, names)
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error.errno))
        return str(names.get("result"))
